SELECT id FROM tenant WHERE id::text = $1 OR slug = $1
