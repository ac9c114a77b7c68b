-- The affiliations that hold today and the highest degree with its date.
SELECT p.id,
       ARRAY(SELECT a.id::text
             FROM unnest(p.affiliation_ids, p.affiliation_from, p.affiliation_to)
                  AS a(id, valid_from, valid_to)
             WHERE coalesce(nullif(a.valid_from, '')::date <= current_date, true)
               AND coalesce(nullif(a.valid_to, '')::date > current_date, true)),
       coalesce(d.eqf, 0), coalesce(d.awarded_on, '')
FROM person p
LEFT JOIN LATERAL (SELECT degree.eqf::integer AS eqf, degree.awarded_on
                   FROM unnest(p.degree_eqf, p.degree_on) AS degree(eqf, awarded_on)
                   ORDER BY degree.eqf::integer DESC, degree.awarded_on DESC
                   LIMIT 1) AS d ON true
WHERE p.tenant_id = $1::uuid AND p.id = ANY ($2::text[]::uuid[])
