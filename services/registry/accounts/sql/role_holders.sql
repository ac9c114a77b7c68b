SELECT account_id FROM membership
WHERE tenant_id = $1::uuid AND $2::bigint = ANY (roles)
ORDER BY account_id
LIMIT 200
