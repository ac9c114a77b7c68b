SELECT id, placement_id, person_id, motivation, state, reason, version,
       (extract(epoch FROM created_at) * 1000)::bigint,
       coalesce((extract(epoch FROM reviewed_at) * 1000)::bigint, 0)
FROM application
WHERE tenant_id = $1::uuid AND placement_id = $2::uuid
  AND ($3::uuid IS NULL OR id > $3::uuid)
  AND ($4::uuid IS NULL OR person_id = $4::uuid)
ORDER BY id
LIMIT $5::bigint
