SELECT count(*) FROM (SELECT FROM message
                      WHERE tenant_id = $1::uuid AND account_id = $2::uuid AND read_at IS NULL
                      LIMIT 1000) AS unread
