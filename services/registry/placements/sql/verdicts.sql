SELECT id, packed
FROM verdict
WHERE tenant_id = $1::uuid AND placement_id = $2::uuid AND ($3::uuid IS NULL OR id < $3::uuid)
ORDER BY id DESC
LIMIT $4::bigint
