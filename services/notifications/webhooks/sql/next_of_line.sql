-- When nothing of the line is on its way, its next may go.
UPDATE webhook_delivery d SET state = 1, due_at = now()
WHERE d.tenant_id = $1::uuid AND d.id = (
    SELECT n.id FROM webhook_delivery n
    WHERE n.tenant_id = $1::uuid AND n.webhook_id = $2::uuid AND n.line = $3 AND n.state = 2
    ORDER BY n.position LIMIT 1)
  AND NOT EXISTS (SELECT FROM webhook_delivery o
                  WHERE o.tenant_id = $1::uuid AND o.webhook_id = $2::uuid AND o.line = $3
                    AND o.state IN (1, 3))
