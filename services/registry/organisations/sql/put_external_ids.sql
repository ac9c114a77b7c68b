-- $1 organisation, $2 schemes, $3 values, $4 verified
INSERT INTO organisation_external_id (organisation_id, scheme, value, verified, place)
SELECT $1::uuid, scheme, value, verified = 't', place
FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS given(scheme, value, verified, place)
