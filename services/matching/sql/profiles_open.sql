-- A cursor, for to read in pages by id would be to read and sort everything for each page: the
-- view joins, so no index gives its order.
DECLARE profiles NO SCROLL CURSOR FOR
SELECT kind, id::text, tenant_id::text, person_kind, owner_organisation_id::text,
       organisation_type, visibility, shared_with::text[], concept_ids::text[],
       concept_weights::bigint[], text_sv, text_fi, text_en, nuts, languages, isced_f,
       eqf::bigint, focus, themes, available_from::text, valid_until::text,
       coalesce(capacity, -1)::bigint, sme, version,
       (extract(epoch FROM updated_at) * 1000)::bigint, wished_concept_ids::text[],
       wished_concept_weights::bigint[], wished_nuts, wished_tags
FROM registry.published_profiles
WHERE kind = $1
