INSERT INTO round_student (tenant_id, round_id, code, person_id)
SELECT current_setting('app.tenant')::uuid, $1::uuid, code, nullif(person_id, '')::uuid
FROM unnest($2::text[], $3::text[]) AS given (code, person_id)
ON CONFLICT (tenant_id, round_id, code) DO UPDATE SET person_id = excluded.person_id
