-- A resumed webhook begins anew with what waited.
UPDATE webhook_delivery SET attempts = 0, due_at = now()
WHERE tenant_id = $1::uuid AND webhook_id = $2::uuid AND state = 1
