-- The place (from 0) of the first id that no organisation has.
SELECT place - 1
FROM unnest($1::text[]::uuid[]) WITH ORDINALITY AS given(id, place)
WHERE NOT EXISTS (SELECT FROM organisation o WHERE o.id = given.id)
ORDER BY place
LIMIT 1
