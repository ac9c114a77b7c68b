UPDATE federation_peer SET position = $3, moved_at = now()
WHERE source = $1 AND position = $2
