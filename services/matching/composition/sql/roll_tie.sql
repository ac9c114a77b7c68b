DELETE FROM roll
WHERE kind = 2 AND id = current_setting('app.tenant')::uuid
      AND NOT EXISTS (SELECT FROM composition_job
                      WHERE tenant_id = current_setting('app.tenant')::uuid)
