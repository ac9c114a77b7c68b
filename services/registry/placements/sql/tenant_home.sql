SELECT coalesce(home_organisation_id::text, '') FROM tenant WHERE id = $1::uuid
