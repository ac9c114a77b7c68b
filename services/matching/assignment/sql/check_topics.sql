-- $2 codes, none: all that are proposed; $3 state, $4 reason
UPDATE round_topic
SET state = $3::smallint, reason = $4
WHERE round_id = $1::uuid
      AND (code = ANY ($2::text[]) OR (cardinality($2::text[]) = 0 AND state = 1))
