-- $1 and $2 the last row shown, $3 part of the name, $4 kind, $5 organisation, $6 whether only the
-- pool is shown, and $7 the profile that is shown all the same, $8 limit.
SELECT p.id, p.tenant_id, p.kind, p.display_name, p.languages, p.affiliation_ids::text[],
       p.affiliation_roles, p.affiliation_from, p.affiliation_to, p.degree_isced_f, p.degree_eqf,
       p.degree_on, p.concept_ids::text[], p.concept_weights, p.about_langs, p.about_values,
       p.about_translated, coalesce(p.nuts, ''), coalesce(p.available_from::text, ''), p.capacity,
       p.visibility, p.shared_with::text[], p.talent_pool, coalesce(p.reference, ''), p.version,
       coalesce(p.account_id::text, ''), p.name_sort,
       p.wished_concept_ids::text[], p.wished_concept_weights, p.wished_nuts, p.wished_focus,
       p.wished_themes
FROM person p
WHERE (p.name_sort COLLATE "C", p.id) > ($1 COLLATE "C", $2::uuid)
  AND p.erased_at IS NULL
  AND ($3::text IS NULL OR p.name_sort LIKE '%' || $3 || '%')
  AND ($4::smallint = 0 OR p.kind = $4::smallint)
  AND ($5::uuid IS NULL OR $5::uuid = ANY (p.affiliation_ids))
  AND (NOT $6::boolean OR p.talent_pool OR p.id = $7::uuid)
ORDER BY p.name_sort COLLATE "C", p.id
LIMIT $8::bigint
