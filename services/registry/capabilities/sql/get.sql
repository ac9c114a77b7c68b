SELECT c.id, c.tenant_id, c.organisation_id, c.kind, c.text_langs, c.text_values, c.text_translated,
       c.benefit_langs, c.benefit_values, c.benefit_translated, c.trl, c.themes, c.focus,
       c.concept_ids::text[], c.concept_weights, coalesce(c.nuts, ''),
       coalesce(c.valid_until::text, ''), c.visibility, c.shared_with::text[], c.withdrawn, c.version
FROM capability c
WHERE c.id = $1::uuid
