-- $1 tenant, $2 organisations (NULL: all), $3 topic, $4 required concepts, $5 excluded, $6 board,
-- $7 most.  What an organisation offers is what it and its people publish to the tenant.
WITH wanted AS (
    SELECT o.id, o.name, o.type, o.country, o.nuts
    FROM registry.published_organisations o
    WHERE ($2::text[] IS NULL OR o.id = ANY ($2::text[]::uuid[]))
      AND NOT o.id = ANY ($5::text[]::uuid[])
    ORDER BY o.id
    LIMIT $7::bigint
), offers AS (
    SELECT p.owner_organisation_id AS id, array_agg(DISTINCT c.id) AS concepts
    FROM registry.published_profiles p, unnest(p.concept_ids) AS c (id)
    WHERE p.kind IN ('person', 'capability', 'infrastructure')
      AND c.id = ANY ($3::text[]::uuid[] || $4::text[]::uuid[])
      AND (p.tenant_id = $1::uuid OR p.visibility = 'public'
           OR (p.visibility = 'shared' AND $1::uuid = ANY (p.shared_with)))
    GROUP BY p.owner_organisation_id
), history AS (
    SELECT organisation_id AS id, count(*) FILTER (WHERE state = 2) AS kept,
           count(*) FILTER (WHERE state IN (3, 4)) AS lost
    FROM registry.published_partners
    WHERE tenant_id = $1::uuid
    GROUP BY organisation_id
), met AS (
    SELECT DISTINCT other.organisation_id AS id
    FROM registry.published_partners own
    JOIN registry.published_partners other USING (tenant_id, partnership_id)
    WHERE own.tenant_id = $1::uuid AND own.organisation_id = ANY ($6::text[]::uuid[])
      AND own.state = 2 AND other.state = 2
)
SELECT w.id::text, coalesce(w.name, ''), w.type, w.country, w.nuts,
       (SELECT count(*) FROM unnest($3::text[]::uuid[]) t WHERE t = ANY (f.concepts)),
       coalesce((SELECT sum(1::bigint << (place::integer - 1))
                 FROM unnest($4::text[]::uuid[]) WITH ORDINALITY AS r (id, place)
                 WHERE r.id = ANY (f.concepts)), 0)::bigint,
       (1000 * (coalesce(h.kept, 0) + 1) / (coalesce(h.kept, 0) + coalesce(h.lost, 0) + 2))::bigint,
       CASE WHEN m.id IS NULL THEN 1000 ELSE 0 END::bigint
FROM wanted w
LEFT JOIN offers f ON f.id = w.id
LEFT JOIN history h ON h.id = w.id
LEFT JOIN met m ON m.id = w.id
ORDER BY w.id
