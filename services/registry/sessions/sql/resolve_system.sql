SELECT id, coalesce((extract(epoch FROM expires_at) * 1000)::bigint, 0), name
FROM system
WHERE tenant_id = $1::uuid AND token_hash = $2::bytea AND NOT revoked
  AND (expires_at IS NULL OR expires_at > now())
