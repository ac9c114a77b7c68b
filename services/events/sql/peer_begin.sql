INSERT INTO federation_peer (name, source) VALUES ($1, $2)
ON CONFLICT DO NOTHING
