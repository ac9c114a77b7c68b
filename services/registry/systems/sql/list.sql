SELECT id, name, coalesce(curve_key, ''), types,
       coalesce((extract(epoch FROM expires_at) * 1000)::bigint, 0), revoked, version, append_types,
       follows_limit, events_per_second, appends_per_second, public_only
FROM system
WHERE tenant_id = $1::uuid AND ($2::uuid IS NULL OR id < $2::uuid)
ORDER BY id DESC
LIMIT $3::bigint
