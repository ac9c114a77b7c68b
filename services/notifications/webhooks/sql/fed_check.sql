-- Whether the webhook is still to be fed from there.
SELECT count(*) FROM webhook
WHERE tenant_id = $1::uuid AND id = $2::uuid AND state = 2 AND NOT live AND fed_through = $3::bigint
