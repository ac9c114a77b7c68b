-- One statement, so that chains and head are of one moment.  $1: whose, NULL: all; $2: after.
SELECT head.position, head.first_kept, stream.tenant_id,
       coalesce(stream.number, 0), stream.link, coalesce(stream.last, 0), stream.chain
FROM head LEFT JOIN LATERAL (
    SELECT t.tenant_id, mark.number, mark.link, t.last, t.chain
    FROM tenant_stream AS t
    LEFT JOIN chain_mark AS mark
           ON mark.start = head.first_kept + 1 AND mark.tenant_id = t.tenant_id
    WHERE ($1::text[] IS NULL OR t.tenant_id = ANY ($1::text[]::uuid[]))
      AND ($2::text IS NULL OR t.tenant_id > $2::text::uuid)
    ORDER BY t.tenant_id LIMIT $3) AS stream ON true
ORDER BY stream.tenant_id
