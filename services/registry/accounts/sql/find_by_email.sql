SELECT id, email, display_name, password_hash, language, tenant_ids::text[],
       locked_until IS NOT NULL AND locked_until > now(), failures
FROM account
WHERE email_folded = $1
