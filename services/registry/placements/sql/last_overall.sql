SELECT overall FROM verdict
WHERE tenant_id = $1::uuid AND placement_id = $2::uuid
ORDER BY id DESC
LIMIT 1
