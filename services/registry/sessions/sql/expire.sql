DELETE FROM session WHERE tenant_id = $1::uuid AND account_id = $2::uuid AND expires_at <= now()
