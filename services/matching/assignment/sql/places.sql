-- $2 code of the last one shown, $3 limit
SELECT p.student, p.topic, coalesce(t.title, ''), p.choice, p.basis, p.barriers
FROM round_place p
LEFT JOIN round_topic t ON t.tenant_id = p.tenant_id AND t.round_id = p.round_id
                           AND t.code = p.topic
WHERE p.round_id = $1::uuid AND p.student COLLATE "C" > $2
ORDER BY p.student COLLATE "C"
LIMIT $3::bigint
