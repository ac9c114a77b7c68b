SELECT id FROM webhook_roll WHERE id > $1::uuid ORDER BY id LIMIT 200
