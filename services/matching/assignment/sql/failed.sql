-- $1 round, $2 attempt, $3 why.  Back where it was.
UPDATE round
SET state = resume, resume = 0, failure = $3, attempts = 0, lease_until = NULL,
    version = version + 1
WHERE id = $1::uuid AND state = 6 AND attempts = $2::bigint
