-- Without a row nobody had a webhook before: where the inbox stands is early enough.
INSERT INTO listener (name, position)
SELECT 'webhooks', coalesce(max(position), 0) FROM listener
ON CONFLICT (name) DO NOTHING
