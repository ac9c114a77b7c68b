SELECT tenant_id, last, chain FROM tenant_stream WHERE tenant_id = ANY ($1::text[]::uuid[])
