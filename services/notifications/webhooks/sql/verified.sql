UPDATE webhook SET state = 2, verified = true, version = version + 1
WHERE tenant_id = $1::uuid AND id = $2::uuid AND state = 1
