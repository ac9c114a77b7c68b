-- In the order of the ids; NULL where there is no such concept.
SELECT c.id IS NOT NULL,
       coalesce(nullif(CASE $2::text WHEN 'sv' THEN c.label_sv WHEN 'fi' THEN c.label_fi
                       ELSE c.label_en END, ''),
                nullif(c.label_en, ''), nullif(c.label_sv, ''), c.label_fi)
FROM unnest($1::text[]::uuid[]) WITH ORDINALITY AS given(id, place)
LEFT JOIN concept c ON c.id = given.id
ORDER BY given.place
