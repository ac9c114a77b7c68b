SELECT id, slug, name, coalesce(home_organisation_id::text, ''), locale, host, version,
       kind, deployment
FROM tenant
WHERE id::text = $1 OR slug = $1
