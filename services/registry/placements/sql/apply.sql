INSERT INTO application (tenant_id, id, placement_id, person_id, motivation)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5)
