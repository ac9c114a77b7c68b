-- One webhook, or all with $2 NULL.  Live ones have everything up to the follower's position.
SELECT w.id, w.url, w.types, w.tenant_ids, w.subjects, w.programmes, w.nuts, w.concepts,
       w.mode::integer, w.description, w.state::integer, w.reason::integer, w.public_key,
       w.secret_number, coalesce((extract(epoch FROM w.old_until) * 1000)::bigint, 0),
       (SELECT count(*) FROM (SELECT FROM webhook_delivery d
                              WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id
                                AND d.state IN (1, 2, 3) LIMIT 10000) AS open),
       CASE WHEN w.live THEN (SELECT position FROM listener WHERE name = 'webhooks')
            ELSE w.fed_through END,
       (extract(epoch FROM w.created_at) * 1000)::bigint, w.version, w.verified
FROM webhook w
WHERE w.tenant_id = $1::uuid AND ($2::uuid IS NULL OR w.id = $2::uuid)
ORDER BY w.id DESC
LIMIT 50
