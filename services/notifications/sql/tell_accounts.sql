-- One message for each of the accounts $9, once for what $2 stands for, and a mail for those who have
-- not said that they want none of the topic.
WITH told AS (
    INSERT INTO message (tenant_id, id, account_id, event_id, position, topic, kind, detail,
                         subject_kind, subject_id)
    SELECT $1::uuid, (left($2, 24) || right(gen_random_uuid()::text, 12))::uuid, a.id::uuid,
           $2::uuid, $3::bigint, $4::smallint, $5::smallint, $6::bigint, $7, $8::uuid
    FROM unnest($9::text[]) AS a (id)
    ON CONFLICT (tenant_id, account_id, event_id) DO NOTHING
    RETURNING tenant_id, id, account_id
), mailed AS (
    INSERT INTO mail (tenant_id, message_id)
    SELECT told.tenant_id, told.id
    FROM told LEFT JOIN subscription s ON s.tenant_id = told.tenant_id
              AND s.account_id = told.account_id AND s.topic = $4::smallint
    WHERE coalesce(s.email, true)
    RETURNING tenant_id
)
INSERT INTO mailbag AS bag (id, due_at)
SELECT DISTINCT tenant_id, now() FROM mailed
ON CONFLICT (id) DO UPDATE SET due_at = least(bag.due_at, excluded.due_at)
