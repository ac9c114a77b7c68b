-- Leases due mails for two minutes; whoever gets none leaves them to others.
UPDATE mail SET state = 2, attempts = mail.attempts + 1, due_at = now() + interval '2 minutes'
FROM message m
WHERE mail.tenant_id = $1::uuid AND m.tenant_id = mail.tenant_id AND m.id = mail.message_id
  AND mail.message_id IN (SELECT message_id FROM mail
                          WHERE tenant_id = $1::uuid AND state IN (1, 2) AND due_at <= now()
                          ORDER BY due_at
                          LIMIT $2::bigint
                          FOR UPDATE SKIP LOCKED)
RETURNING mail.message_id, m.account_id, m.kind, m.detail, mail.attempts
