-- What a person may change, and what follows from it.  No row: it has another version.
UPDATE placement
SET title = $4, host_organisation_id = $5::uuid, hei_ids = $6::text[]::uuid[],
    academic_coach_id = $7::uuid, business_coach_id = $8::uuid, process_manager_id = $9::uuid,
    focus = $10::bigint[], unlisted_focus = $11::text[], fte_thousandths = $12::integer,
    start_on = $13::date, end_on = $14::date, strategic_rationale = $15,
    rationale_approved = $16::boolean, funded_title = $17, funded_start = $18::date,
    funded_end = $19::date, concept_ids = $20::text[]::uuid[], concept_weights = $21::bigint[],
    text_langs = $22::text[], text_values = $23::text[], text_translated = $24::text[],
    languages = $25::text[], nuts = $26, eligibility = $27::smallint, state = $28::smallint,
    version = version + 1, updated_at = now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
