DELETE FROM organisation_external_id WHERE organisation_id = $1::uuid
