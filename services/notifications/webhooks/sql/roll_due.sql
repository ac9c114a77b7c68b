SELECT id FROM webhook_roll WHERE due_at <= now() ORDER BY due_at LIMIT $1::bigint
