-- What somebody asked for and was shown.  Decided pairs stay as they are.
INSERT INTO suggestion AS s
    (tenant_id, id, query_kind, query_id, query_tenant_id, query_organisation_id, candidate_kind,
     candidate_id, candidate_tenant_id, candidate_person_kind, shared, position, told_at, score,
     weights, explanation)
SELECT current_setting('app.tenant')::uuid, p.id, p.query_kind, p.query_id, p.query_tenant_id,
       p.query_organisation_id, p.candidate_kind, p.candidate_id, p.candidate_tenant_id,
       p.candidate_person_kind, p.shared, $12, NULL, p.score, $13,
       decode(p.explanation, 'hex')
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[],
            $7::uuid[], $8::uuid[], $9::text[], $10::boolean[], $11::bigint[], $14::text[])
    AS p (id, query_kind, query_id, query_tenant_id, query_organisation_id, candidate_kind,
          candidate_id, candidate_tenant_id, candidate_person_kind, shared, score, explanation)
ORDER BY p.query_id, p.candidate_id
ON CONFLICT (tenant_id, query_id, candidate_id) DO UPDATE SET
    state = 1, score = excluded.score, weights = excluded.weights,
    explanation = excluded.explanation, shared = excluded.shared, version = s.version + 1
WHERE s.state = 4 OR (s.state = 1 AND (s.score <> excluded.score OR s.weights <> excluded.weights))
