UPDATE application
SET state = 6, reason = $4::smallint, version = version + 1, reviewed_at = now()
WHERE tenant_id = $1::uuid AND placement_id = $2::uuid AND ($3::uuid IS NULL OR id <> $3::uuid)
  AND state < 5
RETURNING id
