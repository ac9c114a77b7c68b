SELECT system_id, key, tenant_ids::text[], types,
       coalesce((extract(epoch FROM expires_at) * 1000)::bigint, 0),
       tenant_id, append_types, follows_limit, events_per_second, appends_per_second
FROM systems()
WHERE system_id = $1
LIMIT 1
