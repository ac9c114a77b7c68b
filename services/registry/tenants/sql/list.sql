SELECT id, slug, name, coalesce(home_organisation_id::text, ''), locale, host, version,
       kind, deployment
FROM tenant
WHERE slug > $1
ORDER BY slug
LIMIT $2::bigint
