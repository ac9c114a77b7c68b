-- $2 code of the last one shown, $3 limit
SELECT p.student, coalesce(a.to_topic, p.topic), coalesce(t.title, ''), coalesce(a.choice, p.choice),
       CASE WHEN a.number IS NULL THEN p.basis ELSE 6 END,
       CASE WHEN a.number IS NULL THEN p.barriers ELSE '' END, coalesce(a.number, 0),
       CASE WHEN a.number IS NULL THEN '' ELSE p.topic END
FROM round_place p
LEFT JOIN LATERAL (SELECT number, to_topic, choice FROM round_amendment m
                   WHERE m.tenant_id = p.tenant_id AND m.round_id = p.round_id
                         AND m.student = p.student
                   ORDER BY number DESC LIMIT 1) a ON true
LEFT JOIN round_topic t ON t.tenant_id = p.tenant_id AND t.round_id = p.round_id
                           AND t.code = coalesce(a.to_topic, p.topic)
WHERE p.round_id = $1::uuid AND p.student COLLATE "C" > $2
ORDER BY p.student COLLATE "C"
LIMIT $3::bigint
