UPDATE person SET account_id = $2::uuid WHERE tenant_id = $1::uuid AND id = $3::uuid
