-- Other deployments whose public events are taken in, and how far.  The position moves in the
-- transaction that adds the events to the log, with a check of the old value.
CREATE TABLE federation_peer (
    name     text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60),
    source   text NOT NULL UNIQUE CHECK (length(source) BETWEEN 1 AND 256), -- root of its sources
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0), -- in its log: all up to it is here
    moved_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON federation_peer TO app_events;
