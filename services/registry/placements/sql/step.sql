-- What a step of its life changes.  No row: it has another version.
UPDATE placement
SET state = $4::smallint, eligibility = $5::smallint, rationale_approved = $6::boolean,
    visibility = $7::smallint, shared_with = $8::text[]::uuid[], associate_id = $9::uuid,
    started_on = $10::date, ended_on = $11::date, outcome = $12::smallint,
    offer_answer = $13::smallint, ended_reason = $14, version = version + 1, updated_at = now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
