-- $1 round, $2 student.  An attempt to solve it that has read the student does not stand.
UPDATE round
SET version = version + 1,
    failure = CASE WHEN position($2 IN failure) > 0 THEN '' ELSE failure END,
    attempts = attempts + CASE WHEN state = 6 THEN 1 ELSE 0 END,
    lease_until = CASE WHEN state = 6 THEN NULL ELSE lease_until END
WHERE id = $1::uuid
