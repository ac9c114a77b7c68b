SELECT id::text FROM roll
WHERE kind = $1::smallint AND ($2 = '' OR id > nullif($2, '')::uuid)
ORDER BY id LIMIT $3::bigint
