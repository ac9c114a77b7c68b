UPDATE round_student s
SET choices = given.choices, partner = given.partner
FROM unnest($2::text[], $3::text[], $4::text[]) AS given (code, choices, partner)
WHERE s.round_id = $1::uuid AND s.code = given.code
