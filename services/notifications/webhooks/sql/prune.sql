DELETE FROM webhook_delivery
WHERE tenant_id = $1::uuid
  AND ctid = ANY (ARRAY(SELECT ctid FROM webhook_delivery
                        WHERE tenant_id = $1::uuid AND state > 3
                          AND delivered_at < now() - $2::bigint * interval '1 day'
                        LIMIT 5000))
