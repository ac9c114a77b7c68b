SELECT question, coalesce(facts, ''), position,
       (SELECT count(*) FROM composition_run r
        WHERE r.tenant_id = c.tenant_id AND r.composition_id = c.id)
FROM composition c
WHERE tenant_id = $1::uuid AND id = $2::uuid AND state = 1
