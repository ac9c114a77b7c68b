-- Who owns, controls or is grouped with whom, as far as it can be reached from these organisations.
WITH RECURSIVE edge AS (
    SELECT id, parent_id, child_id, kind, share_thousandths
    FROM organisation_relation
    WHERE kind IN (1, 2, 3) AND coalesce(valid_from <= current_date, true)
      AND coalesce(valid_to > current_date, true)
), reached (id) AS (
    SELECT unnest($1::text[]::uuid[])
    UNION
    SELECT CASE WHEN e.parent_id = r.id THEN e.child_id ELSE e.parent_id END
    FROM reached r JOIN edge e ON r.id IN (e.parent_id, e.child_id)
)
SELECT e.parent_id::text, e.child_id::text, p.name_values[1], c.name_values[1], e.kind,
       e.share_thousandths::bigint
FROM edge e
JOIN organisation p ON p.id = e.parent_id
JOIN organisation c ON c.id = e.child_id
WHERE e.parent_id IN (SELECT id FROM reached)
ORDER BY e.id
LIMIT $2::bigint
