INSERT INTO chain_mark (start, tenant_id, number, link)
SELECT $1, tenant_id, last, chain FROM tenant_stream
