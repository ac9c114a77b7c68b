-- The account has this profile of the tenant, and no other.
UPDATE person SET account_id = CASE WHEN id = $3::uuid THEN $2::uuid END
WHERE tenant_id = $1::uuid AND (id = $3::uuid OR account_id = $2::uuid)
