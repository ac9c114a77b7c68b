-- $1 round, $2 version, $3 state, $4 resume, $5 days until the window closes (0: as it is)
UPDATE round
SET state = $3::smallint, resume = $4::smallint, version = version + 1, attempts = 0,
    lease_until = NULL,
    failure = CASE WHEN $3::smallint = 6 THEN '' ELSE failure END,
    objections_until = CASE WHEN $5::bigint > 0 THEN now() + $5::bigint * interval '1 day'
                            ELSE objections_until END
WHERE id = $1::uuid AND version = $2::bigint
