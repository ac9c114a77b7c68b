DELETE FROM roll
WHERE kind = 1 AND id = current_setting('app.tenant')::uuid
      AND NOT EXISTS (SELECT FROM round WHERE tenant_id = current_setting('app.tenant')::uuid
                                              AND state = 6)
