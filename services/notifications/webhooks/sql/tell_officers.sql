-- One message and one mail for each of the accounts $2, once for what $3 stands for.
WITH told AS (
    INSERT INTO message (tenant_id, id, account_id, event_id, position, topic, kind, detail,
                         subject_kind, subject_id)
    SELECT $1::uuid, (left($3, 24) || right(gen_random_uuid()::text, 12))::uuid, account, $3::uuid, 0,
           $4::smallint, $5::smallint, $6::bigint, 'webhook', $7::uuid
    FROM unnest($2::text[]) AS a (text), LATERAL (SELECT a.text::uuid AS account) AS b
    ON CONFLICT (tenant_id, account_id, event_id) DO NOTHING
    RETURNING tenant_id, id
), mailed AS (
    INSERT INTO mail (tenant_id, message_id) SELECT tenant_id, id FROM told RETURNING tenant_id
)
INSERT INTO mailbag AS bag (id, due_at)
SELECT DISTINCT tenant_id, now() FROM mailed
ON CONFLICT (id) DO UPDATE SET due_at = least(bag.due_at, excluded.due_at)
