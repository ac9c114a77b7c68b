-- The webhooks that take events as they come ($2), or those to be fed.
SELECT id, mode::integer, types, tenant_ids, subjects, programmes, nuts, concepts, fed_through
FROM webhook
WHERE tenant_id = $1::uuid AND state = 2 AND live = $2
LIMIT 50
