SELECT id, placement_id, person_id, motivation, state, reason, version,
       (extract(epoch FROM created_at) * 1000)::bigint,
       coalesce((extract(epoch FROM reviewed_at) * 1000)::bigint, 0)
FROM application
WHERE tenant_id = $1::uuid AND id = $2::uuid
