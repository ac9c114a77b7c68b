-- The log in partitions, so that its oldest part can be let go of at once.
--
-- Partitions are ranges of positions: the primary key stays the guard of the order, and a page
-- finds its partition by position.  Where one ends is chosen by time.  The newest is open: it has
-- no upper bound until roll_log gives it one and opens the next.

ALTER TABLE log RENAME TO log_1;
ALTER INDEX log_pkey RENAME TO log_1_pkey;
REVOKE ALL ON log_1 FROM app_events; -- all go through the parent
ALTER TABLE log_1 ADD CONSTRAINT log_count_most CHECK (count <= 8192); -- page.sql relies on it
CREATE TABLE log (LIKE log_1 INCLUDING ALL) PARTITION BY RANGE (position);
GRANT SELECT, INSERT ON log TO app_events;
ALTER TABLE log ATTACH PARTITION log_1 FOR VALUES FROM (1) TO (MAXVALUE);

-- The partitions that are kept: log_<start> holds the blocks from `start` to the next one's start.
CREATE TABLE log_partition (
    start     bigint PRIMARY KEY CHECK (start > 0),
    opened_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO log_partition (start, opened_at)
SELECT 1, coalesce((SELECT created_at FROM log ORDER BY position LIMIT 1), now());
GRANT SELECT ON log_partition TO app_events;

-- Where every tenant's chain stood when a partition began: link `number` is the last before it.
-- A tenant without a row begins in it, or later.
CREATE TABLE chain_mark (
    start     bigint NOT NULL,
    tenant_id uuid NOT NULL,
    number    bigint NOT NULL CHECK (number > 0),
    link      bytea NOT NULL CHECK (length(link) = 32),
    PRIMARY KEY (start, tenant_id)
);
ALTER TABLE chain_mark ENABLE ROW LEVEL SECURITY;
ALTER TABLE chain_mark FORCE ROW LEVEL SECURITY;
CREATE POLICY chain_mark_all ON chain_mark TO app_events USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON chain_mark TO app_events;

-- Ends the open partition behind `seen`, which must be the head, and opens the next; its start, or
-- 0 when the open one holds nothing yet.
--
-- The log is locked before the head, as a round of the sequencer does it.  Whoever reads waits
-- while this waits for the lock, so it waits little.  Attaching looks once at the rows of the
-- partition, whose data is out of line; its caller rolls before there are too many.
CREATE FUNCTION roll_log(seen bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = events, pg_temp
    SET lock_timeout = '300ms'
    AS $$
DECLARE
    opened bigint;
BEGIN
    LOCK TABLE log IN ACCESS EXCLUSIVE MODE;
    PERFORM FROM head WHERE position = seen FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head is not at %', seen USING ERRCODE = 'serialization_failure';
    END IF;
    SELECT max(start) INTO opened FROM log_partition;
    IF opened > seen THEN
        RETURN 0;
    END IF;
    EXECUTE format('ALTER TABLE log DETACH PARTITION %I', 'log_' || opened);
    EXECUTE format('ALTER TABLE log ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                   'log_' || opened, opened, seen + 1);
    EXECUTE format('CREATE TABLE %I PARTITION OF log FOR VALUES FROM (%s) TO (MAXVALUE)',
                   'log_' || seen + 1, seen + 1);
    INSERT INTO log_partition (start) VALUES (seen + 1);
    RETURN seen + 1;
END
$$;
REVOKE ALL ON FUNCTION roll_log(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roll_log(bigint) TO app_events;

-- Drops the oldest partitions that lie wholly at or before `through`, at most 64, and moves
-- first_kept.  The open one stays.  If one of them was closed less than keep_days ago, none is
-- dropped, and `old_through` says up to where that would have gone; otherwise it is NULL.
CREATE FUNCTION trim_log(through bigint, keep_days integer,
                         OUT first_kept bigint, OUT old_through bigint)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = events, pg_temp
    SET lock_timeout = '1s'
    AS $$
DECLARE
    part record;
    gone bigint[] := '{}';
    kept bigint; -- first_kept as it will be
BEGIN
    SELECT h.first_kept INTO first_kept FROM head h;
    IF NOT EXISTS (SELECT FROM log_partition p
                   WHERE p.start > first_kept + 1 AND p.start - 1 <= through) THEN
        RETURN;
    END IF;
    LOCK TABLE log IN ACCESS EXCLUSIVE MODE;
    SELECT h.first_kept INTO first_kept FROM head h FOR UPDATE;
    kept := first_kept;
    FOR part IN SELECT p.start, lead(p.start) OVER oldest - 1 AS last,
                       lead(p.opened_at) OVER oldest AS closed_at
                FROM log_partition p WINDOW oldest AS (ORDER BY p.start)
                ORDER BY p.start LIMIT 64
    LOOP
        EXIT WHEN part.last IS NULL OR part.last > through;
        IF part.closed_at > clock_timestamp() - make_interval(days => keep_days) THEN
            old_through := kept;
            RETURN;
        END IF;
        gone := gone || part.start;
        kept := part.last;
    END LOOP;
    FOR i IN 1 .. cardinality(gone) LOOP
        EXECUTE format('DROP TABLE %I', 'log_' || gone[i]);
    END LOOP;
    DELETE FROM log_partition WHERE start = ANY (gone);
    UPDATE head SET first_kept = kept;
    first_kept := kept;
END
$$;
REVOKE ALL ON FUNCTION trim_log(bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trim_log(bigint, integer) TO app_events;

-- Batches that came by Append are known for 48 hours.
CREATE INDEX append_source_by_age ON append_source (created_at);
GRANT DELETE ON append_source TO app_events;
