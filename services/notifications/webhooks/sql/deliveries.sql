SELECT id, CASE WHEN batch IS NULL THEN message_id ELSE batch::text END, event_id, type,
       coalesce(position, 0), state::integer, attempts, status, latency_ms, error,
       CASE WHEN state IN (1, 3) THEN (extract(epoch FROM due_at) * 1000)::bigint ELSE 0 END,
       (extract(epoch FROM created_at) * 1000)::bigint,
       coalesce((extract(epoch FROM delivered_at) * 1000)::bigint, 0)
FROM webhook_delivery
WHERE tenant_id = $1::uuid AND webhook_id = $2::uuid AND ($3::bigint IS NULL OR id < $3::bigint)
  AND ($4::smallint = 0 OR state = $4::smallint)
ORDER BY id DESC
LIMIT $5::bigint
