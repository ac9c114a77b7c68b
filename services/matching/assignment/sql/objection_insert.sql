INSERT INTO round_objection (tenant_id, round_id, id, student, text)
VALUES (current_setting('app.tenant')::uuid, $1::uuid, $2::uuid, $3, $4)
