-- An organisation known by one of the external ids, or else by country, type and name.
SELECT id FROM (
    SELECT organisation_id AS id, 0 AS rank FROM organisation_external_id
    WHERE (scheme, value) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    UNION ALL
    SELECT id, 1 FROM organisation
    WHERE country = $3 AND type = $4::smallint AND name_sort = $5
) AS known
ORDER BY rank, id
LIMIT 1
