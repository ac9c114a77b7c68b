-- From the fifth failure in a row on, each doubles the time until the next try counts.
UPDATE account
SET failures = failures + 1,
    locked_until = CASE WHEN failures >= 4
                        THEN now() + least(900, power(2, least(failures - 3, 10)))
                                     * interval '1 second' END
WHERE id = $1::uuid
