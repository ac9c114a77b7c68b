-- $1 tenant, $2 before or NULL, $3 one or NULL, $4 with this member or NULL, $5 most
SELECT p.id::text, p.title, p.programme_code, p.state, p.eligibility,
       coalesce(p.start_on::text, ''), coalesce(p.end_on::text, ''),
       coalesce(p.follow_up_on::text, ''), p.activities, p.sustainability_plan,
       p.outreach_target, p.version, (extract(epoch FROM p.created_at) * 1000)::bigint
FROM partnership p
WHERE p.tenant_id = $1::uuid AND ($2::uuid IS NULL OR p.id < $2::uuid)
  AND ($3::uuid IS NULL OR p.id = $3::uuid)
  AND ($4::uuid IS NULL OR EXISTS (
        SELECT FROM partnership_member m
        WHERE m.tenant_id = p.tenant_id AND m.partnership_id = p.id
          AND m.organisation_id = $4::uuid))
ORDER BY p.id DESC
LIMIT $5::bigint
