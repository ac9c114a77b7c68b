UPDATE account
SET tenant_ids = array_append(tenant_ids, $2::uuid), version = version + 1
WHERE id = $1::uuid AND NOT $2::uuid = ANY (tenant_ids)
