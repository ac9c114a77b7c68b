SELECT request_hash, answer IS NOT NULL, answer
FROM idempotency
WHERE tenant_id = $1 AND principal = $2 AND method = $3 AND key = $4
