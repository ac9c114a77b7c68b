SELECT count(*) FROM (SELECT FROM webhook_delivery
                      WHERE tenant_id = $1::uuid AND webhook_id = $2::uuid AND state IN (1, 2, 3)
                      LIMIT $3::bigint) AS open
