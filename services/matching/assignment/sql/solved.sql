-- $1 round, $2 attempt, $3 state, $4 hash.  Touches nothing when another attempt has begun.
UPDATE round
SET state = $3::smallint, resume = 0, run = run + 1, input_hash = $4, failure = '', attempts = 0,
    lease_until = NULL, version = version + 1
WHERE id = $1::uuid AND state = 6 AND attempts = $2::bigint
