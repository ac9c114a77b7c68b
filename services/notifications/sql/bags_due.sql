SELECT id FROM mailbag WHERE due_at <= now() ORDER BY due_at LIMIT 20
