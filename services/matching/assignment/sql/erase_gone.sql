-- The round has not ended: $2 is no student of it any more, and nobody's partner.
WITH gone AS (
    DELETE FROM round_student WHERE round_id = $1::uuid AND code = $2
), ranked AS (
    DELETE FROM round_ranking WHERE round_id = $1::uuid AND student = $2
)
UPDATE round_student SET partner = '' WHERE round_id = $1::uuid AND partner = $2 AND code <> $2
