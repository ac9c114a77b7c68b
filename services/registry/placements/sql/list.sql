SELECT t.id, t.title, t.programme_code, t.state, t.eligibility, coalesce(t.need_id::text, ''),
       coalesce(t.host_organisation_id::text, ''), t.hei_ids::text[],
       coalesce(t.academic_coach_id::text, ''), coalesce(t.business_coach_id::text, ''),
       coalesce(t.process_manager_id::text, ''), coalesce(t.associate_id::text, ''), t.focus,
       t.unlisted_focus, t.fte_thousandths, coalesce(t.start_on::text, ''),
       coalesce(t.end_on::text, ''), t.strategic_rationale, t.rationale_approved,
       coalesce(t.funded_title, ''), coalesce(t.funded_start::text, ''),
       coalesce(t.funded_end::text, ''), t.concept_ids::text[], t.concept_weights, t.text_langs,
       t.text_values, t.text_translated, t.languages, coalesce(t.nuts, ''),
       coalesce(t.started_on::text, ''), coalesce(t.ended_on::text, ''), t.outcome,
       t.offer_answer, t.state = 8 AND t.ended_on < current_date - 90, t.version,
       (extract(epoch FROM t.created_at) * 1000)::bigint, t.visibility, t.shared_with::text[],
       t.tenant_id
FROM placement t
WHERE ($1::uuid IS NULL OR t.id < $1::uuid)
  AND ($2::smallint = 0 OR t.state = $2::smallint)
  AND ($3::uuid IS NULL OR t.host_organisation_id = $3::uuid)
  AND ($4::uuid IS NULL OR t.state = 3 OR t.associate_id = $4::uuid)  -- a graduate's view
ORDER BY t.id DESC
LIMIT $5::bigint
