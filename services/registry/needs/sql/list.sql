-- $1 the last row shown, $2 state, $3 organisation, $4 whether only published ones, $5 whose contact
-- looks, $6 limit.
SELECT n.id, n.tenant_id, n.organisation_id, n.text_langs, n.text_values, n.text_translated, n.focus,
       n.themes, n.concept_ids::text[], n.concept_weights, coalesce(n.nuts, ''), n.languages,
       coalesce(n.valid_until::text, ''), n.visibility, n.shared_with::text[], n.state, n.version,
       (extract(epoch FROM n.created_at) * 1000)::bigint
FROM need n
WHERE ($1::uuid IS NULL OR n.id < $1::uuid)
  AND ($2::smallint = 0 OR n.state = $2::smallint)
  AND ($3::uuid IS NULL OR n.organisation_id = $3::uuid)
  AND (NOT $4::boolean OR n.state = 2)
  AND ($5::uuid IS NULL OR n.organisation_id = $5::uuid OR (n.state = 2 AND n.visibility = 3))
ORDER BY n.id DESC
LIMIT $6::bigint
