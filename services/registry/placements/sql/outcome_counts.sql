-- Offered and ended so far in the tenant, for the rule that shows the indicator.
SELECT count(*) FILTER (WHERE outcome BETWEEN 2 AND 5), count(*)
FROM placement
WHERE tenant_id = $1::uuid AND state IN (8, 9)
