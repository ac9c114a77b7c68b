SELECT p.id, p.tenant_id, p.kind, p.display_name, p.languages, p.affiliation_ids::text[],
       p.affiliation_roles, p.affiliation_from, p.affiliation_to, p.degree_isced_f, p.degree_eqf,
       p.degree_on, p.concept_ids::text[], p.concept_weights, p.about_langs, p.about_values,
       p.about_translated, coalesce(p.nuts, ''), coalesce(p.available_from::text, ''), p.capacity,
       p.visibility, p.shared_with::text[], p.talent_pool, coalesce(p.reference, ''), p.version,
       coalesce(p.account_id::text, ''), p.name_sort,
       p.wished_concept_ids::text[], p.wished_concept_weights, p.wished_nuts, p.wished_focus,
       p.wished_themes
FROM person p
WHERE p.id = $1::uuid AND p.erased_at IS NULL
