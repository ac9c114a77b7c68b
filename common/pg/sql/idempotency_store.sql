UPDATE idempotency SET answer = $5
WHERE tenant_id = $1 AND principal = $2 AND method = $3 AND key = $4
