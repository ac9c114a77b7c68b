-- No row: it has another version.
UPDATE system
SET name = $3, types = $4::text[], expires_at = to_timestamp(nullif($5::bigint, 0) / 1000.0),
    append_types = $6::text[], follows_limit = $7::integer, events_per_second = $8::integer,
    appends_per_second = $9::integer, version = version + 1
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $10::bigint
