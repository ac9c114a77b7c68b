-- $1 round, $2 version
UPDATE round SET version = version + 1 WHERE id = $1::uuid AND version = $2::bigint
