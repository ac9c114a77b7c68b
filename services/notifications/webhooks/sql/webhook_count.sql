SELECT count(*) FROM webhook WHERE tenant_id = $1::uuid
