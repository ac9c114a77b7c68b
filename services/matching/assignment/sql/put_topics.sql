INSERT INTO round_topic (tenant_id, round_id, code, title, owner, capacity, least, optional)
SELECT current_setting('app.tenant')::uuid, $1::uuid, code, title, owner, capacity, least,
       optional > 0
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
     AS given (code, title, owner, capacity, least, optional)
ON CONFLICT (tenant_id, round_id, code) DO UPDATE
SET title = excluded.title, owner = excluded.owner, capacity = excluded.capacity,
    least = excluded.least, optional = excluded.optional, state = 1, reason = ''
