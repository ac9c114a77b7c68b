INSERT INTO partnership (tenant_id, id, title, programme_code, start_on, end_on, follow_up_on,
                         activities, sustainability_plan, outreach_target)
VALUES ($1::uuid, $2::uuid, $3, $4, $5::date, $6::date, $7::date, $8::text[], $9, $10::bigint)
