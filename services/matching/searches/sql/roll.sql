SELECT id::text FROM search_roll WHERE id > $1::uuid ORDER BY id LIMIT $2::bigint
