DELETE FROM consumer WHERE user_id = $1 AND name = $2
