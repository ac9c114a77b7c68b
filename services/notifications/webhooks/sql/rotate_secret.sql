-- For 24 hours the secret until now signs, too.
UPDATE webhook
SET old_secret = secret, old_until = now() + interval '24 hours', secret = $4, public_key = $5,
    secret_number = secret_number + 1, version = version + 1
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
