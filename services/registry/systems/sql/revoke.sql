UPDATE system SET revoked = true, version = version + 1
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
