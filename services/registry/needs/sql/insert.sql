-- $1 tenant, $2 id, $3..$5 text, $6 focus, $7 themes, $8 and $9 skills, $10 nuts, $11 languages,
-- $12 valid until, $13 visibility, $14 shared with, $15 state, $16 organisation
INSERT INTO need (tenant_id, id, text_langs, text_values, text_translated, focus, themes, concept_ids,
                  concept_weights, nuts, languages, valid_until, visibility, shared_with, state,
                  organisation_id)
VALUES ($1::uuid, $2::uuid, $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
        $8::text[]::uuid[], $9::bigint[], $10, $11::text[], $12::date, $13::smallint,
        $14::text[]::uuid[], $15::smallint, $16::uuid)
