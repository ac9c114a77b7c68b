SELECT c.id, c.uri, c.vocabulary, c.vocabulary_version, c.kind, c.label_sv, c.label_fi, c.label_en,
       c.alt_sv, c.alt_fi, c.alt_en,
       ARRAY(SELECT b.id::text FROM concept b WHERE b.uri = ANY (c.broader_uris) ORDER BY b.uri),
       c.active, ''
FROM concept c
WHERE c.uri = $1 OR c.id = $2::uuid
LIMIT 1
