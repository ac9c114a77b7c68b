SELECT id FROM webhook_roll WHERE untold ORDER BY random() LIMIT 20
