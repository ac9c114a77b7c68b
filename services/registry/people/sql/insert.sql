-- $1 tenant, $2 id, $3 kind, $4 name, $5 sort, $6 languages, $7..$10 affiliations, $11..$13 degrees,
-- $14 and $15 skills, $16..$18 about, $19 nuts, $20 available from, $21 capacity, $22 visibility,
-- $23 shared with, $24 pool, $25..$29 wishes, $30 reference, $31 account
INSERT INTO person (tenant_id, id, kind, display_name, name_sort, languages, affiliation_ids,
                    affiliation_roles, affiliation_from, affiliation_to, degree_isced_f, degree_eqf,
                    degree_on, concept_ids, concept_weights, about_langs, about_values,
                    about_translated, nuts, available_from, capacity, visibility, shared_with,
                    talent_pool, wished_concept_ids, wished_concept_weights, wished_nuts,
                    wished_focus, wished_themes, reference, account_id)
VALUES ($1::uuid, $2::uuid, $3::smallint, $4, $5, $6::text[], $7::text[]::uuid[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]::uuid[],
        $15::bigint[], $16::text[], $17::text[], $18::text[], $19, $20::date, $21::integer,
        $22::smallint, $23::text[]::uuid[], $24::boolean, $25::text[]::uuid[],
        $26::bigint[], $27::text[], $28::bigint[], $29::bigint[], $30, $31::uuid)
