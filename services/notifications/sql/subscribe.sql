INSERT INTO subscription AS s (tenant_id, id, account_id, topic, email)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4::smallint, $5::boolean)
ON CONFLICT (tenant_id, account_id, topic) DO UPDATE
SET email = excluded.email, version = s.version + 1
RETURNING id, topic, email, version
