-- Of an index in shards: how many profiles of each shard have each term.  All shards need the sums
-- of all.  Rows of an earlier number of shards are of no use and may be deleted.

CREATE TABLE shard_counts (
    shards     smallint NOT NULL CHECK (shards BETWEEN 2 AND 16),
    shard      smallint NOT NULL CHECK (shard BETWEEN 1 AND shards),
    position   bigint NOT NULL CHECK (position >= 0), -- of the log, up to which they are counted
    counts     bytea NOT NULL, -- as counts.h describes
    version    bigint NOT NULL DEFAULT 1,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shards, shard)
);
ALTER TABLE shard_counts ALTER counts SET STORAGE EXTERNAL; -- hashes do not compress

GRANT SELECT, INSERT, UPDATE ON shard_counts TO app_matching;
