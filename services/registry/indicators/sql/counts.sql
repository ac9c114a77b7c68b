SELECT count(*),
       count(*) FILTER (WHERE outcome BETWEEN 2 AND 5),
       count(*) FILTER (WHERE outcome BETWEEN 2 AND 3),
       count(*) FILTER (WHERE offer_answer = 2),
       count(*) FILTER (WHERE outcome IN (0, 1, 7))
FROM placement
WHERE tenant_id = $1::uuid AND state IN (8, 9)
  AND ($2::date IS NULL OR ended_on >= $2::date)
  AND ($3::date IS NULL OR ended_on < $3::date)
  AND ($4::text IS NULL OR nuts LIKE $4 || '%')
