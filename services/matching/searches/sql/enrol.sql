-- The tenant's searches are counted by one at a time.
INSERT INTO search_roll (id) VALUES (current_setting('app.tenant')::uuid)
ON CONFLICT (id) DO UPDATE SET id = excluded.id
