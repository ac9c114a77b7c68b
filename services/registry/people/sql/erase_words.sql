UPDATE application SET motivation = '', version = version + 1
WHERE tenant_id = $1::uuid AND person_id = $2::uuid AND motivation <> ''
