-- Returned are the pairs told of for the first time, with whose the search is. A search that is gone
-- meanwhile is told nothing; one that is here stays until this is committed.
WITH here AS (
    SELECT tenant_id, id, account_id FROM saved_search WHERE id = ANY ($1::text[]::uuid[])
    ORDER BY id FOR KEY SHARE
), told AS (
    INSERT INTO search_hit (tenant_id, search_id, profile_id, profile_kind, profile_tenant_id,
                            position)
    SELECT tenant_id, id, $2::uuid, $3::smallint, $4::uuid, $5::bigint FROM here
    ON CONFLICT (tenant_id, search_id, profile_id) DO NOTHING
    RETURNING search_id
)
SELECT here.id::text, here.account_id FROM here JOIN told ON told.search_id = here.id
ORDER BY here.id
