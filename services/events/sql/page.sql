-- No block holds more than 8192 events, so these bounds cut nothing off; by them all partitions
-- but the one or two that are wanted are left out before the first is opened.
SELECT position, last, count,
       CASE WHEN ($3::text[] IS NULL OR shared OR tenants && $3::text[]::uuid[])
             AND ($4::text[] IS NULL OR tenants && $4::text[]::uuid[])
             AND ($5::text[] IS NULL
                  OR EXISTS (SELECT FROM unnest(types) AS type WHERE type ^@ ANY ($5::text[])))
             AND ($6::text[] IS NULL
                  OR EXISTS (SELECT FROM unnest(types) AS type WHERE type ^@ ANY ($6::text[])))
            THEN data END
FROM log
WHERE position BETWEEN $1::bigint - 8190 AND $1::bigint + $2::bigint * 8192
  AND position >= (SELECT coalesce(max(position), 0) FROM log
                   WHERE position BETWEEN $1::bigint - 8190 AND $1::bigint + 1)
  AND last > $1::bigint
ORDER BY position
LIMIT $2
