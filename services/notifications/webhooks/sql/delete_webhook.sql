DELETE FROM webhook WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
