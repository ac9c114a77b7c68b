UPDATE tenant SET home_organisation_id = $3::uuid, version = version + 1
WHERE id = $1::uuid AND version = $2::bigint
