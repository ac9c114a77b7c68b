INSERT INTO append_source (tenant_id, source, batch_number, digest, first, last)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
