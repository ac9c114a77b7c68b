SELECT coalesce(extract(epoch FROM now() - min(d.created_at)), 0)::float8
FROM webhook w JOIN webhook_delivery d ON d.tenant_id = w.tenant_id AND d.webhook_id = w.id
WHERE w.tenant_id = $1::uuid AND w.state = 2 AND d.state IN (1, 2, 3)
