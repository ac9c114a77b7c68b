SELECT known.digest, coalesce(known.first, 0), coalesce(known.last, 0),
       coalesce(known.duplicates, 0), source.highest
FROM (SELECT coalesce(max(batch_number), 0) AS highest
      FROM append_source WHERE tenant_id = $1 AND source = $2) AS source
LEFT JOIN append_source AS known
     ON known.tenant_id = $1 AND known.source = $2 AND known.batch_number = $3
