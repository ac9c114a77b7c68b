-- A batch goes out again as a whole.  What is on its way already stays there.
UPDATE webhook_delivery d
SET state = 2, attempts = 0, status = 0, latency_ms = 0, error = '', due_at = now(),
    delivered_at = NULL
FROM webhook_delivery one
WHERE one.tenant_id = $1::uuid AND one.webhook_id = $2::uuid AND one.id = $3::bigint
  AND d.tenant_id = one.tenant_id AND (d.id = one.id OR d.batch = one.batch) AND d.state > 3
RETURNING d.line
