-- Returned are the pairs told of for the first time. A search that is gone meanwhile is told nothing;
-- one that is here stays until this is committed.
INSERT INTO search_hit (tenant_id, search_id, profile_id, profile_kind, profile_tenant_id, position)
SELECT s.tenant_id, s.id, $2::uuid, $3::smallint, $4::uuid, $5::bigint
FROM (SELECT tenant_id, id FROM saved_search WHERE id = ANY ($1::text[]::uuid[])
      ORDER BY id FOR KEY SHARE) AS s
ON CONFLICT (tenant_id, search_id, profile_id) DO NOTHING
RETURNING search_id::text
