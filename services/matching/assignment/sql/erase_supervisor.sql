UPDATE round_limit SET person_id = NULL, title = ''
WHERE round_id = $1::uuid AND person_id = $2::uuid
