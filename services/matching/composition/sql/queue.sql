INSERT INTO composition_job (tenant_id, composition_id) VALUES ($1::uuid, $2::uuid)
ON CONFLICT (tenant_id, composition_id) DO NOTHING
