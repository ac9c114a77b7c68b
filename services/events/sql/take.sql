WITH leader AS MATERIALIZED (
    SELECT pg_try_advisory_lock($1) AS yes, pg_backend_pid() AS session
), taken AS (
    -- One snapshot, so these are exactly the $2 oldest rows that it sees; rows that commit later
    -- with smaller ids are taken later.
    DELETE FROM outbox
    WHERE (SELECT yes FROM leader)
      AND id <= (SELECT max(id) FROM (SELECT id FROM outbox ORDER BY id LIMIT $2) AS oldest)
    RETURNING id, tenant_id, internal, event, created_at
)
SELECT leader.yes, leader.session, coalesce(taken.id, 0), taken.tenant_id, taken.internal,
       taken.event, (extract(epoch FROM taken.created_at) * 1000)::bigint
FROM leader LEFT JOIN taken ON true
ORDER BY taken.id
