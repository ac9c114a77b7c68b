UPDATE round_objection
SET state = $3::smallint, answer = $4, decided_by = $5, decided_at = now()
WHERE round_id = $1::uuid AND id = $2::uuid AND state = 1
