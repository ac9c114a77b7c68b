UPDATE message SET read_at = now(), version = version + 1
WHERE tenant_id = $1::uuid AND account_id = $2::uuid AND id = $3::uuid AND read_at IS NULL
