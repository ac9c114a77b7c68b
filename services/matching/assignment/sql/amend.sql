-- $1 round, $2 student, $3 from, $4 to, $5 choice, $6 reason, $7 by whom.  The round is locked.
INSERT INTO round_amendment (tenant_id, round_id, number, student, from_topic, to_topic, choice,
                             reason, amended_by)
SELECT current_setting('app.tenant')::uuid, $1::uuid, coalesce(max(number), 0) + 1, $2, $3, $4,
       $5::bigint, $6, $7
FROM round_amendment WHERE round_id = $1::uuid
RETURNING number, (extract(epoch FROM amended_at) * 1000)::bigint
