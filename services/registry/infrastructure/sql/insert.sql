INSERT INTO equipment (tenant_id, id, organisation_id, type, name_langs, name_values, name_translated,
                       name_sort, text_langs, text_values, text_translated, manufacturer, model,
                       department, terms_langs, terms_values, terms_translated, concept_ids,
                       concept_weights, nuts, hours_open, visibility, shared_with)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4::smallint, $5::text[], $6::text[], $7::text[], $8, $9::text[],
        $10::text[], $11::text[], $12, $13, $14, $15::text[], $16::text[], $17::text[],
        $18::text[]::uuid[], $19::bigint[], $20, $21::integer, $22::smallint, $23::text[]::uuid[])
