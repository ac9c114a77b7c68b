WITH leader AS MATERIALIZED (
    SELECT pg_try_advisory_lock($1) AS yes, pg_backend_pid() AS session
), taken AS (
    -- One snapshot, so these are exactly the $2 oldest rows above $3 that it sees; rows that commit
    -- later with smaller ids are taken later.  Nobody changes rows here, so each stays at its ctid.
    DELETE FROM outbox
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM outbox
                            WHERE id > $3 AND (SELECT yes FROM leader)
                            ORDER BY id LIMIT $2))
    RETURNING id, tenant_id, internal, event, created_at
)
SELECT leader.yes, leader.session, coalesce(taken.id, 0), taken.tenant_id, taken.internal,
       taken.event, (extract(epoch FROM taken.created_at) * 1000)::bigint
FROM leader LEFT JOIN taken ON true
