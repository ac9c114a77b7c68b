-- $1 tenant, $2 today, $3 at most.  What somebody changes just now is left for the next time.
UPDATE need AS n
SET state = 4, version = version + 1, updated_at = now()
WHERE n.tenant_id = $1::uuid
  AND n.id IN (SELECT id FROM need
               WHERE tenant_id = $1::uuid AND state = 2 AND valid_until < $2::date
               ORDER BY valid_until
               LIMIT $3::bigint
               FOR UPDATE SKIP LOCKED)
RETURNING n.id, coalesce(n.nuts, ''), n.visibility, n.shared_with::text[]
