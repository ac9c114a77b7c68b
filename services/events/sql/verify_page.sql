-- The bounds are those of page.sql.
SELECT position, last, count, tenants::text[], types, data, checksum FROM log
WHERE position BETWEEN $1::bigint - 8190 AND $1::bigint + $2::bigint * 8192
  AND position >= (SELECT coalesce(max(position), 0) FROM log
                   WHERE position BETWEEN $1::bigint - 8190 AND $1::bigint + 1)
  AND last > $1::bigint
ORDER BY position
LIMIT $2
