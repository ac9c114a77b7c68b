INSERT INTO composition_roll (id) VALUES (current_setting('app.tenant')::uuid)
ON CONFLICT (id) DO UPDATE SET id = excluded.id
