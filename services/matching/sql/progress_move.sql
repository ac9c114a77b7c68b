INSERT INTO listener (name, position) VALUES ($2, $1)
ON CONFLICT (name) DO UPDATE SET position = excluded.position, moved_at = now()
WHERE listener.position < excluded.position
