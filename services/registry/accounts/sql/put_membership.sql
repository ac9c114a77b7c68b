-- Roles are added to those there are; a profile or organisation stays unless a new one is given.
INSERT INTO membership AS m (tenant_id, account_id, roles, person_id, organisation_id)
VALUES ($1::uuid, $2::uuid, $3::bigint[], $4::uuid, $5::uuid)
ON CONFLICT (tenant_id, account_id) DO UPDATE
SET roles = (SELECT array_agg(DISTINCT role ORDER BY role)
             FROM unnest(m.roles || excluded.roles) AS role),
    person_id = coalesce(excluded.person_id, m.person_id),
    organisation_id = coalesce(excluded.organisation_id, m.organisation_id),
    version = m.version + 1
