SELECT id, reason::integer, version FROM webhook
WHERE tenant_id = $1::uuid AND state = 4 AND NOT told LIMIT 50
