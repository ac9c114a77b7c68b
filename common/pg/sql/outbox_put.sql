INSERT INTO events.outbox (tenant_id, internal, event) VALUES ($1, $2, $3)
