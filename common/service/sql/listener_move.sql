UPDATE listener SET position = $3, moved_at = now() WHERE name = $1 AND position = $2
