-- One row for each event of one webhook, in the order of positions; in a line one is READY, the rest
-- waits.  What was delivered before is being replayed.  The tenant's roll is held.
INSERT INTO webhook_delivery AS old
       (tenant_id, webhook_id, kind, position, message_id, event_id, type, line, headers, body, state)
SELECT $1::uuid, w.id, 1, e.position, e.message_id, e.event_id, e.type, e.line, e.headers,
       decode(e.body, 'hex'),
       CASE WHEN row_number() OVER (PARTITION BY e.line ORDER BY e.position) = 1
                 AND NOT EXISTS (SELECT FROM webhook_delivery d
                                 WHERE d.tenant_id = $1::uuid AND d.webhook_id = w.id
                                   AND d.line = e.line AND d.state IN (1, 2, 3))
            THEN 1 ELSE 2 END
FROM webhook w,
     unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
         AS e (position, message_id, event_id, type, line, headers, body)
WHERE w.tenant_id = $1::uuid AND w.id = $2::uuid AND w.state = 2 AND w.live = $10
ORDER BY e.position
ON CONFLICT (tenant_id, webhook_id, position) DO UPDATE
SET state = excluded.state, attempts = 0, status = 0, latency_ms = 0, error = '', due_at = now(),
    delivered_at = NULL, batch = NULL
WHERE old.state = 4
