-- Leases what is due, at most $3 requests under way to a webhook and $2 now; the roll is held.
WITH due AS MATERIALIZED (
    SELECT ready.id
    FROM webhook w CROSS JOIN LATERAL (
        SELECT d.id, row_number() OVER (ORDER BY d.due_at, d.id) AS number
        FROM webhook_delivery d
        WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state IN (1, 3)
          AND d.due_at <= now()
          AND (w.state = 2 OR d.kind = 3 OR (w.state = 1 AND d.kind = 2))
        ORDER BY d.due_at, d.id
        LIMIT $3::bigint) AS ready
    WHERE w.tenant_id = $1::uuid AND w.slow_until <= now()
      AND ready.number <= $3::bigint - (SELECT count(*) FROM webhook_delivery d
                                        WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id
                                          AND d.state = 3 AND d.due_at > now())
    ORDER BY ready.number
    LIMIT $2::bigint
)
UPDATE webhook_delivery d
SET state = 3, attempts = d.attempts + 1, due_at = now() + $4::bigint * interval '1 millisecond'
FROM due, webhook w
WHERE d.tenant_id = $1::uuid AND d.id = due.id AND w.tenant_id = d.tenant_id AND w.id = d.webhook_id
RETURNING d.id, d.webhook_id, d.kind::integer, d.attempts, d.message_id, d.type, d.line,
          coalesce(d.batch::text, ''), d.headers, d.body, w.url, w.mode::integer, w.secret,
          CASE WHEN w.old_until > now() THEN w.old_secret END
