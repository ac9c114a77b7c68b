INSERT INTO round_ranking (tenant_id, round_id, owner, student, rank)
SELECT current_setting('app.tenant')::uuid, $1::uuid, owner, student, rank
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS given (owner, student, rank)
