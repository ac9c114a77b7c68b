SELECT secret FROM webhook
WHERE tenant_id = $1::uuid AND id = $2::uuid AND secret_number = $3::integer
