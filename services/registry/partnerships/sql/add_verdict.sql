INSERT INTO partnership_verdict (tenant_id, id, partnership_id, programme_code, rule_set_version,
                                 overall, mode, packed, inputs_hash)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4, $5, $6::smallint, $7::smallint, $8::bytea, $9)
