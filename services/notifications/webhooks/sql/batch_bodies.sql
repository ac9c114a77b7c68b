SELECT body FROM webhook_delivery WHERE tenant_id = $1::uuid AND batch = $2::uuid
ORDER BY position
