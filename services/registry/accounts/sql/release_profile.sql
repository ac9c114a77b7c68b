UPDATE person SET account_id = NULL WHERE tenant_id = $1::uuid AND account_id = $2::uuid
