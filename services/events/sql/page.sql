SELECT position, last, count,
       CASE WHEN ($3::text[] IS NULL OR shared OR tenants && $3::text[]::uuid[])
             AND ($4::text[] IS NULL OR tenants && $4::text[]::uuid[])
             AND ($5::text[] IS NULL
                  OR EXISTS (SELECT FROM unnest(types) AS type WHERE type ^@ ANY ($5::text[])))
             AND ($6::text[] IS NULL
                  OR EXISTS (SELECT FROM unnest(types) AS type WHERE type ^@ ANY ($6::text[])))
            THEN data END
FROM log
WHERE position >= (SELECT coalesce(max(position), 0) FROM log WHERE position <= $1 + 1)
  AND last > $1
ORDER BY position
LIMIT $2
