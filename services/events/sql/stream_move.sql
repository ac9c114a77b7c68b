INSERT INTO tenant_stream (tenant_id, last, chain)
SELECT tenant_id::uuid, last, substring($3::bytea FROM (i::integer - 1) * 32 + 1 FOR 32)
FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS moved(tenant_id, last, i)
ON CONFLICT (tenant_id) DO UPDATE SET last = excluded.last, chain = excluded.chain
