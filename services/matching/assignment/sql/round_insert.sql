INSERT INTO round (tenant_id, id, title, objective, seed, choices_max, fill, objection_days)
VALUES (current_setting('app.tenant')::uuid, $1::uuid, $2, $3::smallint, $4::bigint, $5::integer,
        $6::boolean, $7::integer)
