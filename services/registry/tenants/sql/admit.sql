INSERT INTO tenant (id, slug, name, locale, kind, deployment)
SELECT $1::uuid, $2, $3, $4, 2, $5
WHERE (SELECT count(*) FROM tenant WHERE deployment = $5) < $6::bigint
ON CONFLICT (id) DO NOTHING
