-- $1 vocabulary, $2 version, $3 ids for new ones, $4 URIs, $5 kinds, $6..$8 labels, $9..$11
-- alternatives (joined by line feeds), $12..$14 sort keys, $15 broader URIs (joined), $16 folded,
-- $17 hashes.  In the order of the URIs, so that two imports lock alike.
WITH given AS (
    SELECT *
    FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                $16::text[], $17::text[])
         AS t(id, uri, kind, label_sv, label_fi, label_en, alt_sv, alt_fi, alt_en, sort_sv, sort_fi,
              sort_en, broader, folded, hash)
), used AS (
    SELECT EXISTS (SELECT FROM concept WHERE vocabulary = $1 AND active)
           OR NOT EXISTS (SELECT FROM concept WHERE active) AS active
)
INSERT INTO concept AS known (id, uri, vocabulary, vocabulary_version, kind, label_sv, label_fi,
                              label_en, alt_sv, alt_fi, alt_en, sort_sv, sort_fi, sort_en,
                              broader_uris, label_folded, content_hash, active)
SELECT id::uuid, uri, $1, $2, kind, label_sv, label_fi, label_en, string_to_array(alt_sv, E'\n'),
       string_to_array(alt_fi, E'\n'), string_to_array(alt_en, E'\n'), sort_sv, sort_fi, sort_en,
       string_to_array(broader, E'\n'), folded, hash, used.active
FROM given, used
ORDER BY uri
ON CONFLICT (uri) DO UPDATE
SET vocabulary_version = excluded.vocabulary_version, kind = excluded.kind,
    label_sv = excluded.label_sv, label_fi = excluded.label_fi, label_en = excluded.label_en,
    alt_sv = excluded.alt_sv, alt_fi = excluded.alt_fi, alt_en = excluded.alt_en,
    sort_sv = excluded.sort_sv, sort_fi = excluded.sort_fi, sort_en = excluded.sort_en,
    broader_uris = excluded.broader_uris, label_folded = excluded.label_folded,
    content_hash = excluded.content_hash
RETURNING known.id, known.active
