-- Leases the tenant's job that is due the longest for $1 milliseconds; who gets none leaves them to
-- others.
WITH due AS MATERIALIZED (
    SELECT composition_id FROM composition_job
    WHERE tenant_id = current_setting('app.tenant')::uuid AND due_at <= now()
    ORDER BY due_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE composition_job j
SET due_at = now() + $1::bigint * interval '1 millisecond', attempts = j.attempts + 1
FROM due
WHERE j.tenant_id = current_setting('app.tenant')::uuid AND j.composition_id = due.composition_id
RETURNING j.composition_id::text, j.attempts
