SELECT 1 FROM roll WHERE kind = $1::smallint AND id = current_setting('app.tenant')::uuid FOR UPDATE
