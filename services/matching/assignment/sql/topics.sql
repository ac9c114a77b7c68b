SELECT code, title, owner, capacity, least, optional, state, reason
FROM round_topic
WHERE round_id = $1::uuid
ORDER BY code COLLATE "C"
