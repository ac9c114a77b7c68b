INSERT INTO roll (kind, id) VALUES ($1::smallint, current_setting('app.tenant')::uuid)
ON CONFLICT (kind, id) DO UPDATE SET id = excluded.id
