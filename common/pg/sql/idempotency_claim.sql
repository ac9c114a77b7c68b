INSERT INTO idempotency (tenant_id, principal, method, key, request_hash)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
