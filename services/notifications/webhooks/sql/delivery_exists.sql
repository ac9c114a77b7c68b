SELECT count(*) FROM webhook_delivery
WHERE tenant_id = $1::uuid AND webhook_id = $2::uuid AND id = $3::bigint
