SELECT h.profile_kind, h.profile_id::text, h.profile_tenant_id::text, h.position,
       (extract(epoch FROM h.told_at) * 1000)::bigint
FROM search_hit h
WHERE h.search_id = $1::uuid
ORDER BY h.position DESC, h.profile_id
LIMIT $2::bigint
