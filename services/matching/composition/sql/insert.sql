INSERT INTO composition (tenant_id, id, question) VALUES ($1::uuid, $2::uuid, $3::bytea)
