INSERT INTO parked_event (listener, position, type, event, code, detail, tries)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
