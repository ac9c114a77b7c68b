-- $2 only of this account; NULL: of any.
SELECT s.id::text, s.tenant_id::text, s.name, s.required::text[], s.optional::text[],
       s.optional_least, s.kinds, s.nuts, s.languages, coalesce(s.available_by::text, ''),
       (extract(epoch FROM s.saved_at) * 1000)::bigint, s.version
FROM saved_search s
WHERE s.id = $1::uuid AND ($2::text IS NULL OR s.account_id = $2)
