SELECT code, coalesce(person_id::text, ''), choices, partner, pinned, pin_reason
FROM round_student
WHERE round_id = $1::uuid
ORDER BY code COLLATE "C"
