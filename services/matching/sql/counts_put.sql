-- Of several instances of a shard the one that is furthest wins; $5: though this is no further.
INSERT INTO shard_counts AS c (shards, shard, position, counts)
VALUES ($1::smallint, $2::smallint, $3, $4)
ON CONFLICT (shards, shard) DO UPDATE SET position = excluded.position, counts = excluded.counts,
    version = c.version + 1, written_at = now()
WHERE c.position < excluded.position OR ($5 AND c.position = excluded.position)
