INSERT INTO tenant (id, slug, name, locale, host, home_organisation_id)
VALUES ($1::uuid, $2, $3, $4, $5::boolean, $6::uuid)
