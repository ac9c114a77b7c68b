-- $2 number of the last one shown, $3 limit
SELECT number, student, from_topic, to_topic, reason, amended_by,
       (extract(epoch FROM amended_at) * 1000)::bigint
FROM round_amendment
WHERE round_id = $1::uuid AND number > $2::bigint
ORDER BY number
LIMIT $3::bigint
