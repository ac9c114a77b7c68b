-- Nothing is lost: what waits goes out after a resume, what happens meanwhile is fed from the log.
UPDATE webhook
SET state = 4, reason = $3::smallint, told = false, verified = false,
    fed_through = CASE WHEN live THEN (SELECT position FROM listener WHERE name = 'webhooks')
                       ELSE fed_through END,
    live = false, version = version + 1
WHERE tenant_id = $1::uuid AND id = $2::uuid AND state IN (1, 2)
