INSERT INTO listener (name, position) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING
