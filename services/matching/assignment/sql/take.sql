-- Leases a round that is requested for $1 milliseconds; who gets none leaves them to others.
WITH due AS MATERIALIZED (
    SELECT id FROM round
    WHERE tenant_id = current_setting('app.tenant')::uuid AND state = 6
          AND (lease_until IS NULL OR lease_until <= now())
    ORDER BY lease_until NULLS FIRST, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE round r
SET attempts = attempts + 1, lease_until = now() + $1::bigint * interval '1 millisecond'
FROM due
WHERE r.tenant_id = current_setting('app.tenant')::uuid AND r.id = due.id
RETURNING r.id::text, r.attempts, r.resume
