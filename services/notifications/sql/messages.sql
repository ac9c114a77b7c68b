SELECT m.id, m.topic, m.kind, m.detail, m.subject_kind, m.subject_id, m.position,
       (extract(epoch FROM m.created_at) * 1000)::bigint,
       coalesce((extract(epoch FROM m.read_at) * 1000)::bigint, 0), coalesce(l.state, 0), m.version
FROM message m LEFT JOIN mail l ON l.tenant_id = m.tenant_id AND l.message_id = m.id
WHERE m.tenant_id = $1::uuid AND m.account_id = $2::uuid AND ($3::uuid IS NULL OR m.id < $3::uuid)
  AND (NOT $4::boolean OR m.read_at IS NULL)
ORDER BY m.id DESC
LIMIT $5::bigint
