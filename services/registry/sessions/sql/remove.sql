DELETE FROM session WHERE tenant_id = $1::uuid AND credential_hash = $2::bytea
