INSERT INTO round_limit (tenant_id, round_id, code, kind, title, parent, capacity, person_id)
SELECT current_setting('app.tenant')::uuid, $1::uuid, code, kind, title, parent, capacity,
       nullif(person_id, '')::uuid
FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[])
     AS given (code, kind, title, parent, capacity, person_id)
ON CONFLICT (tenant_id, round_id, code) DO UPDATE
SET kind = excluded.kind, title = excluded.title, parent = excluded.parent,
    capacity = excluded.capacity, person_id = excluded.person_id
