-- As insert.sql up to $15, but $16 is the expected version.  No row: it has another version.
UPDATE need
SET text_langs = $3::text[], text_values = $4::text[], text_translated = $5::text[],
    focus = $6::bigint[], themes = $7::bigint[], concept_ids = $8::text[]::uuid[],
    concept_weights = $9::bigint[], nuts = $10, languages = $11::text[], valid_until = $12::date,
    visibility = $13::smallint, shared_with = $14::text[]::uuid[], state = $15::smallint,
    version = version + 1, updated_at = now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $16::bigint
