UPDATE membership SET person_id = NULL, version = version + 1
WHERE tenant_id = $1::uuid AND person_id = $2::uuid
