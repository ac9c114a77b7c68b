INSERT INTO append_source (tenant_id, source, batch_number, digest, first, last, duplicates)
SELECT tenant_id::uuid, source, number, substring($4::bytea FROM (i::integer - 1) * 32 + 1 FOR 32),
       first, last, duplicates
FROM unnest($1::text[], $2::text[], $3::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
     WITH ORDINALITY AS claim(tenant_id, source, number, first, last, duplicates, i)
