-- $1 account; NULL: every account's, from the id after $2. $3 limit.
SELECT s.id::text, s.tenant_id::text, s.name, s.required::text[], s.optional::text[],
       s.optional_least, s.kinds, s.nuts, s.languages, coalesce(s.available_by::text, ''),
       (extract(epoch FROM s.saved_at) * 1000)::bigint, s.version
FROM saved_search s
WHERE s.account_id = $1 OR ($1 IS NULL AND s.id > $2::uuid)
ORDER BY CASE WHEN $1 IS NULL THEN s.id END, s.id DESC
LIMIT $3::bigint
