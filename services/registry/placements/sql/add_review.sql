INSERT INTO review (tenant_id, id, placement_id, held_on, participant_ids, summary)
VALUES ($1::uuid, $2::uuid, $3::uuid, $4::date, $5::text[]::uuid[], $6)
