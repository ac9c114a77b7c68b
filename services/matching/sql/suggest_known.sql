SELECT s.id::text, s.query_id::text, s.candidate_id::text, s.state, s.version
FROM unnest($1::uuid[], $2::uuid[]) AS p (query_id, candidate_id)
JOIN suggestion s ON s.tenant_id = current_setting('app.tenant')::uuid
                 AND s.query_id = p.query_id AND s.candidate_id = p.candidate_id
ORDER BY s.id
