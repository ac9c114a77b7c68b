-- The round has ended: the student $2 stays as $3, without wishes.
WITH marked AS (
    UPDATE round_student
    SET code = $3, person_id = NULL, choices = '', partner = '',
        pin_reason = CASE WHEN pinned = '' THEN '' ELSE 'erased' END
    WHERE round_id = $1::uuid AND code = $2
), ranked AS (
    UPDATE round_ranking SET student = $3 WHERE round_id = $1::uuid AND student = $2
)
UPDATE round_student SET partner = $3 WHERE round_id = $1::uuid AND partner = $2 AND code <> $2
