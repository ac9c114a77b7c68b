UPDATE membership SET person_id = $3::uuid, version = version + 1
WHERE tenant_id = $1::uuid AND account_id = $2::uuid AND person_id IS NULL
