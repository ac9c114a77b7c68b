-- $13: the state goes back to before events flow, and they are fed from the log later.
UPDATE webhook
SET url = $4, types = $5, tenant_ids = $6, subjects = $7, programmes = $8, nuts = $9, concepts = $10,
    description = $11, state = $12::smallint, reason = CASE WHEN $12::smallint = 4 THEN reason ELSE 0 END,
    told = told OR $12::smallint <> 4, slow_until = now(),
    verified = $14,
    fed_through = CASE WHEN live AND $13 THEN (SELECT position FROM listener WHERE name = 'webhooks')
                       ELSE fed_through END,
    live = live AND NOT $13, version = version + 1
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint
