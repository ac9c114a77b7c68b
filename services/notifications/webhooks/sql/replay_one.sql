-- A batch goes out again as a whole.  What is on its way already stays there.
WITH one AS MATERIALIZED (
    SELECT id, batch FROM webhook_delivery
    WHERE tenant_id = $1::uuid AND webhook_id = $2::uuid AND id = $3::bigint
)
UPDATE webhook_delivery
SET state = 2, attempts = 0, status = 0, latency_ms = 0, error = '', due_at = now(),
    delivered_at = NULL
WHERE tenant_id = $1::uuid AND state > 3
  AND id = ANY (ARRAY(SELECT id FROM one
                      UNION ALL
                      SELECT b.id FROM one JOIN webhook_delivery b
                          ON b.tenant_id = $1::uuid AND b.batch = one.batch))
RETURNING line
