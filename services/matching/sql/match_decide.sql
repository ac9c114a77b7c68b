UPDATE suggestion
SET state = $3, role = $4, decline_reason = $5, note = $6, decided_by = $7, decided_at = now(),
    version = version + 1
WHERE tenant_id = current_setting('app.tenant')::uuid AND id = $1 AND version = $2 AND state = 1
