SELECT id, name_values[1], type, country, coalesce(nuts, ''), ownership, coalesce(headcount, 0),
       headcount IS NOT NULL, coalesce(turnover_eur, 0), turnover_eur IS NOT NULL,
       coalesce(balance_eur, 0), balance_eur IS NOT NULL, competitive_market
FROM organisation
WHERE id = ANY ($1::text[]::uuid[])
ORDER BY id
