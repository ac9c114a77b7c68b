SELECT id FROM webhook_roll WHERE lags ORDER BY random() LIMIT 20
