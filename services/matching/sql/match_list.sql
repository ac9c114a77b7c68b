-- $1 subject kind (0: any), $2 subject id, $3 state (0: any), $4 and $5 score and id of the last
-- row shown (NULL: from the start), $6 limit, $7 only of this person, $8 only of this organisation.
SELECT s.id::text, s.tenant_id::text, s.query_kind, s.query_id::text, s.query_tenant_id::text,
       s.query_organisation_id::text, s.candidate_kind, s.candidate_id::text,
       s.candidate_tenant_id::text, s.candidate_person_kind, s.position, s.score, s.weights,
       s.explanation, s.shared, s.state, s.role, s.decline_reason, s.note, s.decided_by,
       (extract(epoch FROM s.suggested_at) * 1000)::bigint,
       coalesce((extract(epoch FROM s.decided_at) * 1000)::bigint, 0), s.version
FROM suggestion s
WHERE ($1 = 0 OR (s.query_kind = $1 AND s.query_id = $2::uuid)
              OR (s.candidate_kind = $1 AND s.candidate_id = $2::uuid))
      AND ($3 = 0 OR s.state = $3)
      AND ($4::bigint IS NULL OR s.score < $4 OR (s.score = $4 AND s.id > $5::uuid))
      AND ($7::uuid IS NULL OR (s.candidate_kind = 1 AND s.candidate_id = $7))
      AND ($8::uuid IS NULL OR s.query_organisation_id = $8)
ORDER BY s.score DESC, s.id
LIMIT $6
