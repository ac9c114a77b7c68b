SELECT count(*), coalesce(bool_or(name = $2), false), (SELECT position FROM head)
FROM consumer WHERE user_id = $1
