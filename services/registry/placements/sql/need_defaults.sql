-- What a placement takes over from its need.
SELECT organisation_id, concept_ids::text[], concept_weights, text_langs, text_values, text_translated,
       languages, coalesce(nuts, ''), focus
FROM need
WHERE tenant_id = $1::uuid AND id = $2::uuid
