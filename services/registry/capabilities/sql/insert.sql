INSERT INTO capability (tenant_id, id, organisation_id, kind, text_langs, text_values, text_translated,
                        benefit_langs, benefit_values, benefit_translated, trl, themes, focus,
                        concept_ids, concept_weights, nuts, valid_until, visibility, shared_with)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4::smallint, $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::smallint, $12::bigint[], $13::bigint[],
        $14::text[]::uuid[], $15::bigint[], $16, $17::date, $18::smallint, $19::text[]::uuid[])
