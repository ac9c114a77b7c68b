INSERT INTO webhook (tenant_id, id, url, types, tenant_ids, subjects, programmes, nuts, concepts, mode,
                     description, public_key, secret, fed_through)
VALUES ($1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $9, $10::smallint, $11, $12, $13, $14::bigint)
