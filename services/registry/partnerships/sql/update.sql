-- No row: it has another version.
UPDATE partnership
SET title = $4, start_on = $5::date, end_on = $6::date, follow_up_on = $7::date,
    activities = $8::text[], sustainability_plan = $9, outreach_target = $10::bigint,
    state = $11::smallint, eligibility = $12::smallint, version = version + 1, updated_at = now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
