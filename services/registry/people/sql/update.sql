-- As insert.sql up to $29, but $30 is the expected version.  No row: it has another version.
UPDATE person
SET kind = $3::smallint, display_name = $4, name_sort = $5, languages = $6::text[],
    affiliation_ids = $7::text[]::uuid[], affiliation_roles = $8::text[],
    affiliation_from = $9::text[], affiliation_to = $10::text[], degree_isced_f = $11::text[],
    degree_eqf = $12::text[], degree_on = $13::text[], concept_ids = $14::text[]::uuid[],
    concept_weights = $15::bigint[], about_langs = $16::text[], about_values = $17::text[],
    about_translated = $18::text[], nuts = $19, available_from = $20::date,
    capacity = $21::integer, visibility = $22::smallint, shared_with = $23::text[]::uuid[],
    talent_pool = $24::boolean, wished_concept_ids = $25::text[]::uuid[],
    wished_concept_weights = $26::bigint[], wished_nuts = $27::text[],
    wished_focus = $28::bigint[], wished_themes = $29::bigint[], version = version + 1,
    updated_at = now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $30::bigint
