SELECT a.id, a.email, a.display_name, a.language, m.roles, coalesce(m.person_id::text, ''),
       coalesce(m.organisation_id::text, ''), m.version
FROM membership m JOIN account a ON a.id = m.account_id
WHERE m.tenant_id = $1::uuid AND m.account_id = $2::uuid
