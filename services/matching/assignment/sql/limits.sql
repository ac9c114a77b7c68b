SELECT code, kind, title, parent, capacity, coalesce(person_id::text, '')
FROM round_limit
WHERE round_id = $1::uuid
ORDER BY code COLLATE "C"
