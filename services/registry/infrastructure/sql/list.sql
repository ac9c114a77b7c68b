SELECT e.id, e.tenant_id, e.organisation_id, e.type, e.name_langs, e.name_values, e.name_translated,
       e.text_langs, e.text_values, e.text_translated, e.manufacturer, e.model, e.department,
       e.terms_langs, e.terms_values, e.terms_translated, e.concept_ids::text[], e.concept_weights,
       coalesce(e.nuts, ''), e.hours_open, e.visibility, e.shared_with::text[], e.delisted, e.version,
       e.name_sort
FROM equipment e
WHERE (e.name_sort COLLATE "C", e.id) > ($1 COLLATE "C", $2::uuid)
  AND NOT e.delisted
  AND ($3::uuid IS NULL OR e.organisation_id = $3::uuid)
ORDER BY e.name_sort COLLATE "C", e.id
LIMIT $4::bigint
