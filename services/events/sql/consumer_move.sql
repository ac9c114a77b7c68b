UPDATE consumer SET lanes = $4, members = $5, updated_at = now()
WHERE user_id = $1 AND name = $2 AND epoch = $3
