UPDATE application
SET state = $4::smallint, reason = $5::smallint, version = version + 1, reviewed_at = now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
