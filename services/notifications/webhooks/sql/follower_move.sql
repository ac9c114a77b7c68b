UPDATE listener SET position = $2::bigint, moved_at = now()
WHERE name = 'webhooks' AND position = $1::bigint
