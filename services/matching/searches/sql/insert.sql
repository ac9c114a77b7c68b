INSERT INTO saved_search (tenant_id, id, account_id, name, required, optional, optional_least, kinds,
                          nuts, languages, available_by)
VALUES (current_setting('app.tenant')::uuid, $1::uuid, $2, $3, $4::text[]::uuid[],
        $5::text[]::uuid[], $6::smallint, $7::bigint[], $8::text[], $9::text[], $10::date)
