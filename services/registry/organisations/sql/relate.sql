INSERT INTO organisation_relation (id, parent_id, child_id, kind, share_thousandths, valid_from,
                                   valid_to, source, created_by_tenant)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4::smallint, $5::integer, $6::date, $7::date, $8, $9::uuid)
