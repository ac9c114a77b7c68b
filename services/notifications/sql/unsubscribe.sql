DELETE FROM subscription WHERE tenant_id = $1::uuid AND id = $2::uuid AND account_id = $3::uuid
