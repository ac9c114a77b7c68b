DELETE FROM idempotency
WHERE created_at < now() - interval '48 hours'
  AND ctid = ANY (ARRAY(SELECT ctid FROM idempotency
                        WHERE created_at < now() - interval '48 hours'
                        ORDER BY created_at
                        LIMIT 10000))
