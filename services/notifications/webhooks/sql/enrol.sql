INSERT INTO webhook_roll (id) VALUES ($1::uuid) ON CONFLICT (id) DO NOTHING
