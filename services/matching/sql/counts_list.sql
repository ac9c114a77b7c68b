SELECT shard::bigint, version, counts FROM shard_counts
WHERE shards = $1::smallint AND shard <> $2::smallint
ORDER BY shard
