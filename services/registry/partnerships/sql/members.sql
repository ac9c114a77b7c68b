SELECT partnership_id::text, organisation_id::text, role, state, task, benefit, added_value, reason
FROM partnership_member
WHERE tenant_id = $1::uuid AND partnership_id = ANY ($2::text[]::uuid[])
ORDER BY partnership_id, role, invited_at, organisation_id
