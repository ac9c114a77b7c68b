-- $2 code, or $3 person
SELECT code, coalesce(person_id::text, ''), choices, partner, pinned, pin_reason
FROM round_student
WHERE round_id = $1::uuid AND (code = $2 OR person_id = $3::uuid)
