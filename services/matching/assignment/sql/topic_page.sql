-- $2 code of the last one shown, $3 limit, $4 state (0: any)
SELECT code, title, owner, capacity, least, optional, state, reason
FROM round_topic
WHERE round_id = $1::uuid AND code COLLATE "C" > $2 AND ($4::bigint = 0 OR state = $4::bigint)
ORDER BY code COLLATE "C"
LIMIT $3::bigint
