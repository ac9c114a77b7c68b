INSERT INTO composition_job (composition_id, tenant_id) VALUES ($1::uuid, $2::uuid)
ON CONFLICT (composition_id) DO NOTHING
