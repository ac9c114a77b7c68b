-- $2 student, $3 topic or "", $4 reason, $5 by whom
UPDATE round_student
SET pinned = $3, pin_reason = $4, pinned_by = $5
WHERE round_id = $1::uuid AND code = $2
