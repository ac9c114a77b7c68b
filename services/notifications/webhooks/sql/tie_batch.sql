-- The events that leave in one request with the first of their line: those next to it, up to 50 and
-- about 16 KiB.  Once tied, a batch stays as it is.
UPDATE webhook_delivery d
SET batch = $4::uuid
FROM (SELECT n.id, row_number() OVER place AS number, sum(length(n.body)) OVER place AS bytes
      FROM webhook_delivery n
      WHERE n.tenant_id = $1::uuid AND n.webhook_id = $2::uuid AND n.line = '' AND n.kind = 1
        AND n.batch IS NULL AND (n.id = $3::bigint OR n.state = 2)
      WINDOW place AS (ORDER BY (n.id = $3::bigint) DESC, n.position)
      ORDER BY (n.id = $3::bigint) DESC, n.position
      LIMIT 50) AS next
WHERE d.tenant_id = $1::uuid AND d.id = next.id AND (next.number = 1 OR next.bytes <= 16384)
