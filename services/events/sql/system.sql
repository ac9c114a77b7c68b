SELECT system_id, key, tenant_ids::text[], types,
       coalesce((extract(epoch FROM expires_at) * 1000)::bigint, 0)
FROM systems()
WHERE system_id = $1
LIMIT 1
