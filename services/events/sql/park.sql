INSERT INTO parked (outbox_id, tenant_id, internal, event, reason, created_at)
VALUES ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1000.0))
