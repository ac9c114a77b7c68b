UPDATE account
SET tenant_ids = array_remove(tenant_ids, $2::uuid), version = version + 1
WHERE id = $1::uuid
