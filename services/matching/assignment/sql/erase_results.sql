-- What was given, said and amended stays under $3, without its words.
WITH placed AS (
    UPDATE round_place SET student = $3, barriers = '' WHERE round_id = $1::uuid AND student = $2
), amended AS (
    UPDATE round_amendment SET student = $3, reason = 'erased'
    WHERE round_id = $1::uuid AND student = $2
)
UPDATE round_objection
SET student = $3, text = 'erased', answer = CASE WHEN answer = '' THEN '' ELSE 'erased' END,
    state = CASE WHEN state = 1 THEN 3 ELSE state END
WHERE round_id = $1::uuid AND student = $2
