SELECT packed FROM composition_run
WHERE tenant_id = $1::uuid AND composition_id = $2::uuid
ORDER BY number
LIMIT $3::bigint
