SELECT count(*) FROM webhook_delivery
WHERE tenant_id = $1::uuid AND webhook_id = $2::uuid AND kind = 3 AND state IN (1, 2, 3)
