-- A verification or a test: a line of its own, no position.
INSERT INTO webhook_delivery (tenant_id, webhook_id, kind, message_id, event_id, type, line, headers,
                              body, state)
VALUES ($1::uuid, $2::uuid, $3::smallint, $4, $4, $5, 'ping ' || $4, $6, $7, 1)
RETURNING id, message_id, event_id, type, 0::bigint, state::integer, attempts, status, latency_ms, error,
          (extract(epoch FROM due_at) * 1000)::bigint, (extract(epoch FROM created_at) * 1000)::bigint,
          0::bigint
