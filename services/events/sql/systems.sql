SELECT system_id, key, tenant_ids::text[], types,
       coalesce((extract(epoch FROM expires_at) * 1000)::bigint, 0)
FROM systems()
ORDER BY system_id
LIMIT 9900
