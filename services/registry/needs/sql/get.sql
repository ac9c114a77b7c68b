SELECT n.id, n.tenant_id, n.organisation_id, n.text_langs, n.text_values, n.text_translated, n.focus,
       n.themes, n.concept_ids::text[], n.concept_weights, coalesce(n.nuts, ''), n.languages,
       coalesce(n.valid_until::text, ''), n.visibility, n.shared_with::text[], n.state, n.version,
       (extract(epoch FROM n.created_at) * 1000)::bigint
FROM need n
WHERE n.id = $1::uuid
