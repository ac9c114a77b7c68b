-- Events a second over the last ten.
SELECT coalesce(sum(count) / 10, 0)::bigint
FROM (SELECT count, created_at FROM log ORDER BY position DESC LIMIT 5000) AS newest
WHERE created_at > now() - interval '10 seconds'
