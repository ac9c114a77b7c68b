-- After a try that failed: again in $4 milliseconds (READY), or not at all (FAILED).
UPDATE webhook_delivery
SET state = $7::smallint, due_at = now() + $4::bigint * interval '1 millisecond',
    status = $5::integer, latency_ms = $6::integer, error = $8,
    delivered_at = CASE WHEN $7::smallint > 3 THEN now() END
WHERE tenant_id = $1::uuid AND id = $2::bigint AND state = 3 AND attempts = $3::integer
