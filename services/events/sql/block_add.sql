INSERT INTO log (position, last, count, tenants, types, shared, data, checksum)
VALUES ($1, $2, $3, $4::text[]::uuid[], $5, $6, $7, $8)
