-- Notes where to look and when, after a change; what is due and could not be taken now is looked at
-- again in $2 milliseconds.
UPDATE webhook_roll
SET live = EXISTS (SELECT FROM webhook w WHERE w.tenant_id = $1::uuid AND w.state = 2 AND w.live),
    lags = EXISTS (SELECT FROM webhook w
                   WHERE w.tenant_id = $1::uuid AND w.state = 2 AND NOT w.live),
    untold = EXISTS (SELECT FROM webhook w
                     WHERE w.tenant_id = $1::uuid AND w.state = 4 AND NOT w.told),
    due_at = (
        SELECT greatest(now() + $2::bigint * interval '1 millisecond',
                        min(greatest(w.slow_until, next.due_at)))
        FROM webhook w CROSS JOIN LATERAL (
            SELECT d.due_at FROM webhook_delivery d
            WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state IN (1, 3)
              AND (w.state = 2 OR d.kind = 3 OR (w.state = 1 AND d.kind = 2))
            ORDER BY d.due_at LIMIT 1) AS next
        WHERE w.tenant_id = $1::uuid
        HAVING count(*) > 0)
WHERE id = $1::uuid
