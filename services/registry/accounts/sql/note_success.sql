UPDATE account SET failures = 0, locked_until = NULL
WHERE id = $1::uuid AND (failures > 0 OR locked_until IS NOT NULL)
