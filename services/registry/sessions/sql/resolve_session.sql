-- Touches the session at most once a minute.
WITH live AS (
    SELECT s.id, s.account_id, s.expires_at, s.last_used_at
    FROM session s
    WHERE s.tenant_id = $1::uuid AND s.credential_hash = $2::bytea AND s.expires_at > now()
      AND s.last_used_at > now() - $3::bigint * interval '1 millisecond'
), touched AS (
    UPDATE session SET last_used_at = now()
    FROM live
    WHERE session.tenant_id = $1::uuid AND session.id = live.id
      AND live.last_used_at < now() - interval '1 minute'
)
SELECT live.account_id, m.roles, coalesce(m.person_id::text, ''),
       coalesce(m.organisation_id::text, ''), (extract(epoch FROM live.expires_at) * 1000)::bigint,
       a.language, a.display_name
FROM live
JOIN membership m ON m.tenant_id = $1::uuid AND m.account_id = live.account_id
JOIN account a ON a.id = live.account_id
