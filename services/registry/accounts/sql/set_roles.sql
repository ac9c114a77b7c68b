UPDATE membership SET roles = $3::bigint[], version = version + 1
WHERE tenant_id = $1::uuid AND account_id = $2::uuid AND version = $4::bigint
