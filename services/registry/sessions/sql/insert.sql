INSERT INTO session (tenant_id, id, credential_hash, account_id, expires_at)
VALUES ($1::uuid, $2::uuid, $3::bytea, $4::uuid, now() + $5::bigint * interval '1 millisecond')
RETURNING (extract(epoch FROM expires_at) * 1000)::bigint
