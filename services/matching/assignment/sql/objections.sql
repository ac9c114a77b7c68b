-- $2 student, "": all; $3 objection or NULL: all
SELECT id::text, student, text, state, answer, (extract(epoch FROM raised_at) * 1000)::bigint
FROM round_objection
WHERE round_id = $1::uuid AND ($2 = '' OR student = $2) AND ($3::uuid IS NULL OR id = $3::uuid)
ORDER BY raised_at, id
LIMIT 1000
