INSERT INTO tenant_stream (tenant_id, last, chain) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id) DO UPDATE SET last = excluded.last, chain = excluded.chain
