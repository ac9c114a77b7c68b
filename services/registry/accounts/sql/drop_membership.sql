DELETE FROM membership
WHERE tenant_id = $1::uuid AND account_id = $2::uuid AND version = $3::bigint
