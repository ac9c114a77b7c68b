INSERT INTO round_place (tenant_id, round_id, student, topic, choice, basis, barriers)
SELECT current_setting('app.tenant')::uuid, $1::uuid, student, topic, choice, basis, barriers
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[])
     AS given (student, topic, choice, basis, barriers)
