-- $1 the last row shown, $2 organisation, $3 whose contact looks, $4 limit.
SELECT c.id, c.tenant_id, c.organisation_id, c.kind, c.text_langs, c.text_values, c.text_translated,
       c.benefit_langs, c.benefit_values, c.benefit_translated, c.trl, c.themes, c.focus,
       c.concept_ids::text[], c.concept_weights, coalesce(c.nuts, ''),
       coalesce(c.valid_until::text, ''), c.visibility, c.shared_with::text[], c.withdrawn, c.version
FROM capability c
WHERE ($1::uuid IS NULL OR c.id < $1::uuid)
  AND NOT c.withdrawn
  AND ($2::uuid IS NULL OR c.organisation_id = $2::uuid)
  AND ($3::uuid IS NULL OR c.organisation_id = $3::uuid OR c.visibility = 3)
ORDER BY c.id DESC
LIMIT $4::bigint
