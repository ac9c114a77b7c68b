UPDATE composition
SET state = $3::smallint, failure = $4, facts = coalesce(facts, nullif($5::bytea, '')),
    position = $6::bigint, version = version + 1
WHERE tenant_id = $1::uuid AND id = $2::uuid AND state = 1
