SELECT s.id::text, s.tenant_id::text, s.query_kind, s.query_id::text, s.query_tenant_id::text,
       s.query_organisation_id::text, s.candidate_kind, s.candidate_id::text,
       s.candidate_tenant_id::text, s.candidate_person_kind, s.position, s.score, s.weights,
       s.explanation, s.shared, s.state, s.role, s.decline_reason, s.note, s.decided_by,
       (extract(epoch FROM s.suggested_at) * 1000)::bigint,
       coalesce((extract(epoch FROM s.decided_at) * 1000)::bigint, 0), s.version
FROM suggestion s
WHERE s.id = $1
