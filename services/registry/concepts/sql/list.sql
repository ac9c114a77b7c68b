-- $1 and $2 the last row shown, $3 part of a label, $4 language, $5 kind, $6 vocabulary, $7 limit.
-- The sort key begins with 0 where the label begins with what is looked for.
SELECT c.id, c.uri, c.vocabulary, c.vocabulary_version, c.kind, c.label_sv, c.label_fi, c.label_en,
       c.alt_sv, c.alt_fi, c.alt_en,
       ARRAY(SELECT b.id::text FROM concept b WHERE b.uri = ANY (c.broader_uris) ORDER BY b.uri),
       c.active, c.sort
FROM (SELECT *, CASE WHEN $3::text IS NOT NULL AND NOT shown LIKE $3 || '%' THEN '1' ELSE '0' END
                || shown AS sort
      FROM (SELECT *, CASE $4::text WHEN 'sv' THEN sort_sv WHEN 'fi' THEN sort_fi ELSE sort_en END
                      AS shown
            FROM concept) AS in_language
      WHERE ($3::text IS NULL OR label_folded LIKE '%' || $3 || '%')
        AND ($5::smallint = 0 OR kind = $5::smallint)
        AND CASE WHEN $6::text IS NULL THEN active ELSE vocabulary = $6 END) AS c
WHERE (c.sort COLLATE "C", c.id) > ($1 COLLATE "C", $2::uuid)
ORDER BY c.sort COLLATE "C", c.id
LIMIT $7::bigint
