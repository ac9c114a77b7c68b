SELECT id, tenant_id, (extract(epoch FROM created_at) * 1000)::bigint,
       (extract(epoch FROM last_used_at) * 1000)::bigint,
       (extract(epoch FROM expires_at) * 1000)::bigint
FROM session
WHERE tenant_id = $1::uuid AND account_id = $2::uuid AND expires_at > now()
ORDER BY id DESC
LIMIT 100
