SELECT coalesce(min(position), 0) FROM log WHERE position > $1::bigint
