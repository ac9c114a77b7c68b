-- $1 days, $2 events, $3 bytes of rows; an empty partition stays open.
SELECT head.position,
       head.position >= open.start
       AND (open.opened_at < now() - make_interval(days => $1)
            OR head.position - open.start + 1 >= $2
            OR coalesce(pg_relation_size(to_regclass('log_' || open.start)), 0) >= $3)
FROM head, (SELECT start, opened_at FROM log_partition ORDER BY start DESC LIMIT 1) AS open
