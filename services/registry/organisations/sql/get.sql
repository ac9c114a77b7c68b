SELECT o.id, o.created_by_tenant, o.name_langs, o.name_values, o.name_translated, o.type,
       o.ownership, o.status, o.country, coalesce(o.nuts, ''), coalesce(o.nace, ''),
       coalesce(o.headcount, 0), o.headcount IS NOT NULL, coalesce(o.turnover_eur, 0),
       coalesce(o.balance_eur, 0), coalesce(o.size_year, 0), o.competitive_market,
       coalesce(o.website, ''), o.verified, o.version, o.name_sort,
       ARRAY(SELECT e.scheme FROM organisation_external_id e WHERE e.organisation_id = o.id
             ORDER BY e.place),
       ARRAY(SELECT e.value FROM organisation_external_id e WHERE e.organisation_id = o.id
             ORDER BY e.place),
       ARRAY(SELECT CASE WHEN e.verified THEN 't' ELSE 'f' END FROM organisation_external_id e
             WHERE e.organisation_id = o.id ORDER BY e.place)
FROM organisation o
WHERE o.id = $1::uuid
