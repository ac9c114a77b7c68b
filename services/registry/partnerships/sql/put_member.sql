INSERT INTO partnership_member (tenant_id, partnership_id, organisation_id, role, state, task,
                                benefit, added_value, reason)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4::smallint, $5::smallint, $6, $7, $8, $9)
ON CONFLICT (tenant_id, partnership_id, organisation_id) DO UPDATE
SET state = excluded.state, task = excluded.task, benefit = excluded.benefit,
    added_value = excluded.added_value, reason = excluded.reason,
    answered_at = CASE WHEN excluded.state = partnership_member.state
                       THEN partnership_member.answered_at ELSE now() END
