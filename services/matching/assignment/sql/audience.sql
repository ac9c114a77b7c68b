-- Accounts that a step concerns: $2 all of the round, else the students $3 and the limits $4.
SELECT DISTINCT l.account_id::text
FROM registry.published_logins l
WHERE l.tenant_id = current_setting('app.tenant')::uuid AND l.person_id IN (
    SELECT person_id FROM round_student
    WHERE round_id = $1::uuid AND ($2::boolean OR code = ANY ($3::text[]))
    UNION
    SELECT person_id FROM round_limit
    WHERE round_id = $1::uuid AND ($2::boolean OR code = ANY ($4::text[])))
ORDER BY 1
