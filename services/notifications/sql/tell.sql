-- One message for each subscriber of the topic (with $9 for that account alone), once for an event,
-- and a mail where it is wanted.
-- gen_random_uuid is enough for the order of messages of one event; the time part is the event's.
WITH told AS (
    INSERT INTO message (tenant_id, id, account_id, event_id, position, topic, kind, detail,
                         subject_kind, subject_id)
    SELECT s.tenant_id, (left($2, 24) || right(gen_random_uuid()::text, 12))::uuid, s.account_id,
           $2::uuid, $3::bigint, $4::smallint, $5::smallint, $6::bigint, $7, $8::uuid
    FROM subscription s
    WHERE s.tenant_id = $1::uuid AND s.topic = $4::smallint
      AND ($9::text IS NULL OR s.account_id::text = $9)
    ON CONFLICT (tenant_id, account_id, event_id) DO NOTHING
    RETURNING tenant_id, id, account_id
), mailed AS (
    INSERT INTO mail (tenant_id, message_id)
    SELECT told.tenant_id, told.id
    FROM told JOIN subscription s ON s.tenant_id = told.tenant_id
              AND s.account_id = told.account_id AND s.topic = $4::smallint AND s.email
    RETURNING tenant_id
)
INSERT INTO mailbag AS bag (id, due_at)
SELECT DISTINCT tenant_id, now() FROM mailed
ON CONFLICT (id) DO UPDATE SET due_at = least(bag.due_at, excluded.due_at)
