-- A new one begins at $3; one whose position is no longer kept goes on there, too, if $3 is kept.
INSERT INTO consumer (user_id, name, epoch, lanes)
VALUES ($1, $2, 1, array_fill($3::bigint, ARRAY[64]))
ON CONFLICT (user_id, name) DO UPDATE
SET epoch = consumer.epoch + 1,
    lanes = CASE WHEN (SELECT min(lane) FROM unnest(consumer.lanes) AS lane)
                      < (SELECT first_kept FROM head)
                      AND $3 >= (SELECT first_kept FROM head)
                 THEN (SELECT array_agg(greatest(lane, $3) ORDER BY i)
                       FROM unnest(consumer.lanes) WITH ORDINALITY AS kept(lane, i))
                 ELSE consumer.lanes END,
    updated_at = now()
RETURNING epoch, lanes
