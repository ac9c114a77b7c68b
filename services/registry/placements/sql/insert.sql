-- $1 tenant, $2 id, then as update.sql from $4 on, then $29 programme, $30 need
INSERT INTO placement (tenant_id, id, title, host_organisation_id, hei_ids, academic_coach_id,
                       business_coach_id, process_manager_id, focus, unlisted_focus,
                       fte_thousandths, start_on, end_on, strategic_rationale, rationale_approved,
                       funded_title, funded_start, funded_end, concept_ids, concept_weights,
                       text_langs, text_values, text_translated, languages, nuts, eligibility,
                       state, programme_code, need_id)
SELECT $1::uuid, $2::uuid, $4, $5::uuid, $6::text[]::uuid[], $7::uuid, $8::uuid, $9::uuid,
       $10::bigint[], $11::text[], $12::integer, $13::date, $14::date, $15, $16::boolean, $17,
       $18::date, $19::date, $20::text[]::uuid[], $21::bigint[], $22::text[], $23::text[],
       $24::text[], $25::text[], $26, $27::smallint, $28::smallint, $29, $30::uuid
WHERE $3::bigint = 0
