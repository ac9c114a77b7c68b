INSERT INTO composition_run (tenant_id, composition_id, number, packed, inputs_hash, answer_hash)
VALUES ($1::uuid, $2::uuid, $3::integer, $4::bytea, $5, $6)
