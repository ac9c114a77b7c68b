-- What matching found by itself.  Returned are the pairs told of for the first time: of several
-- instances, and of both directions, one gets each.  Decided pairs stay as they are.
INSERT INTO suggestion AS s
    (tenant_id, id, query_kind, query_id, query_tenant_id, query_organisation_id, candidate_kind,
     candidate_id, candidate_tenant_id, candidate_person_kind, shared, position, told_at, score,
     weights, explanation)
SELECT current_setting('app.tenant')::uuid, p.id, p.query_kind, p.query_id, p.query_tenant_id,
       p.query_organisation_id, p.candidate_kind, p.candidate_id, p.candidate_tenant_id,
       p.candidate_person_kind, p.shared, $12, now(), p.score, $13,
       decode(p.explanation, 'hex')
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[],
            $7::uuid[], $8::uuid[], $9::text[], $10::boolean[], $11::bigint[], $14::text[])
    AS p (id, query_kind, query_id, query_tenant_id, query_organisation_id, candidate_kind,
          candidate_id, candidate_tenant_id, candidate_person_kind, shared, score, explanation)
ORDER BY p.query_id, p.candidate_id
ON CONFLICT (tenant_id, query_id, candidate_id) DO UPDATE SET
    state = 1, told_at = coalesce(s.told_at, excluded.told_at), score = excluded.score,
    weights = excluded.weights, explanation = excluded.explanation, shared = excluded.shared,
    position = excluded.position, version = s.version + 1
WHERE s.state = 4 OR (s.state = 1 AND s.told_at IS NULL)
RETURNING s.id::text, s.query_id::text, s.candidate_id::text, s.told_at = now()
