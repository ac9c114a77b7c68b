SELECT id::text, broader::text[], label_sv, label_fi, label_en, alt_sv, alt_fi, alt_en
FROM registry.published_concepts
WHERE id > $1::uuid
ORDER BY id
LIMIT $2
