-- Leases the mail that is due the longest for $2 milliseconds; who gets none leaves them to others.
WITH due AS MATERIALIZED (
    SELECT message_id FROM mail
    WHERE tenant_id = $1::uuid AND state IN (1, 2) AND due_at <= now()
    ORDER BY due_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE mail
SET state = 2, attempts = mail.attempts + 1, due_at = now() + $2::bigint * interval '1 millisecond'
FROM due, message m
WHERE mail.tenant_id = $1::uuid AND mail.message_id = due.message_id
  AND m.tenant_id = mail.tenant_id AND m.id = mail.message_id
RETURNING mail.message_id, m.account_id, m.kind, m.detail, mail.attempts
