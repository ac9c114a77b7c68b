SELECT c.id::text, c.question, c.state, c.failure, c.version,
       (extract(epoch FROM c.created_at) * 1000)::bigint,
       coalesce((SELECT r.packed FROM composition_run r
                 WHERE r.tenant_id = c.tenant_id AND r.composition_id = c.id
                 ORDER BY r.number DESC LIMIT 1), '')
FROM composition c
WHERE c.tenant_id = $1::uuid AND c.id = $2::uuid
