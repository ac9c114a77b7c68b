SELECT id FROM webhook_roll WHERE live ORDER BY id
