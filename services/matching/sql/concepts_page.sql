-- By the view's id: the bare name would be that of the text in front, which no index has.
SELECT id::text, broader::text[], label_sv, label_fi, label_en, alt_sv, alt_fi, alt_en
FROM registry.published_concepts
WHERE id > $1::uuid
ORDER BY published_concepts.id
LIMIT $2
