-- After the try $3 of $2; when somebody else has leased it since, theirs is the word.
WITH head AS MATERIALIZED (
    SELECT id, batch FROM webhook_delivery
    WHERE tenant_id = $1::uuid AND id = $2::bigint AND state = 3 AND attempts = $3::integer
)
UPDATE webhook_delivery
SET state = 4, status = $4::integer, latency_ms = $5::integer, error = '', delivered_at = now(),
    attempts = $3::integer
WHERE tenant_id = $1::uuid
  AND id = ANY (ARRAY(SELECT id FROM head
                      UNION ALL
                      SELECT b.id FROM head JOIN webhook_delivery b
                          ON b.tenant_id = $1::uuid AND b.batch = head.batch))
