-- The outbox that every service writes to, and the log that the sequencer makes of it.
--
-- Blocks of the log hold events of many tenants, so app_events sees all rows here and Follow and
-- Read enforce who may see what.

-- A fact leaves its writer in the transaction that makes it true.  Only the sequencer takes rows
-- from here: ids are handed out before commit, so nobody may read by "id > last".
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    internal   boolean NOT NULL,
    event      bytea NOT NULL CHECK (length(event) BETWEEN 1 AND 16384), -- a packed CloudEvent
    created_at timestamptz NOT NULL DEFAULT now()
);
-- Rows are young and move at once: keep them out of line compression and clean up early.
ALTER TABLE outbox ALTER COLUMN event SET STORAGE EXTERNAL;
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY outbox_written ON outbox FOR INSERT
    TO app_registry, app_matching, app_notifications
    WITH CHECK (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY outbox_seen ON outbox FOR SELECT TO app_events USING (true);
CREATE POLICY outbox_taken ON outbox FOR DELETE TO app_events USING (true);
GRANT USAGE ON SCHEMA events TO app_registry, app_matching, app_notifications;
GRANT INSERT (tenant_id, internal, event) ON outbox
    TO app_registry, app_matching, app_notifications;
GRANT SELECT, DELETE ON outbox TO app_events;

-- One row: the last position given and the smallest `after` that can still be followed.  Each
-- block moves it with a check of the old value, so no two writers can both number.
CREATE TABLE head (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    position   bigint NOT NULL CHECK (position >= 0),
    first_kept bigint NOT NULL CHECK (first_kept BETWEEN 0 AND position)
);
INSERT INTO head (position, first_kept) VALUES (0, 0);
GRANT SELECT, UPDATE ON head TO app_events;

-- The log: one row per block of consecutive positions.
CREATE TABLE log (
    position   bigint PRIMARY KEY CHECK (position > 0), -- of the first event
    last       bigint NOT NULL,
    count      integer NOT NULL CHECK (count > 0),
    tenants    uuid[] NOT NULL,  -- whose events are inside
    types      text[] NOT NULL,  -- which types are inside
    shared     boolean NOT NULL, -- holds an event that others than its tenant may see
    data       bytea NOT NULL,   -- a packed io.cloudevents.v1.CloudEventBatch
    checksum   bytea NOT NULL CHECK (length(checksum) = 32), -- BLAKE2b-256 of data
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (last = position + count - 1)
);
ALTER TABLE log ALTER COLUMN data SET STORAGE EXTERNAL;
GRANT SELECT, INSERT ON log TO app_events;

-- Each tenant's own numbers and its hash chain: link n is BLAKE2b-256 of link n-1 and the stored
-- bytes of the event numbered n; link 0 is BLAKE2b-256 of the tenant's id as text.
CREATE TABLE tenant_stream (
    tenant_id uuid PRIMARY KEY,
    last      bigint NOT NULL CHECK (last > 0),
    chain     bytea NOT NULL CHECK (length(chain) = 32)
);
ALTER TABLE tenant_stream ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_stream FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_stream_all ON tenant_stream TO app_events USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON tenant_stream TO app_events;

-- Batches that came by Append, so that a repeat is answered with the first answer.
CREATE TABLE append_source (
    tenant_id    uuid NOT NULL,
    source       text NOT NULL,
    batch_number bigint NOT NULL CHECK (batch_number > 0),
    digest       bytea NOT NULL CHECK (length(digest) = 32), -- BLAKE2b-256 of the batch
    first        bigint NOT NULL CHECK (first > 0),
    last         bigint NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, source, batch_number)
);
ALTER TABLE append_source ENABLE ROW LEVEL SECURITY;
ALTER TABLE append_source FORCE ROW LEVEL SECURITY;
CREATE POLICY append_source_all ON append_source TO app_events USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON append_source TO app_events;

-- Outbox rows that are no event the log takes; kept for the operators, they block nobody.
CREATE TABLE parked (
    outbox_id  bigint PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    internal   boolean NOT NULL,
    event      bytea NOT NULL,
    reason     text NOT NULL,
    created_at timestamptz NOT NULL, -- of the outbox row
    parked_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE parked ENABLE ROW LEVEL SECURITY;
ALTER TABLE parked FORCE ROW LEVEL SECURITY;
CREATE POLICY parked_all ON parked TO app_events USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON parked TO app_events;

-- The keys that registry publishes, as far as it has come: an empty answer before its migration.
-- It runs with the caller's rights; the body is parsed when it runs, so it may be made first.
CREATE FUNCTION systems()
    RETURNS TABLE (system_id uuid, key text, tenant_ids uuid[], types text[],
                   expires_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY INVOKER
    AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_views
               WHERE schemaname = 'registry' AND viewname = 'published_systems') THEN
        RETURN QUERY SELECT s.system_id, s.key, s.tenant_ids, s.types, s.expires_at
                     FROM registry.published_systems s;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION systems() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION systems() TO app_events;
