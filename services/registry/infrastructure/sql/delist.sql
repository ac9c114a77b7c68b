UPDATE equipment SET delisted = true, version = version + 1, updated_at = now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
