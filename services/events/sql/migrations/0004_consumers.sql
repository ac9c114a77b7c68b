-- Durable consumers: how far each has acknowledged, by lane of partition keys.
CREATE TABLE consumer (
    user_id    text NOT NULL,     -- whose key: "system:<id>", "service:...", "operator:..."
    name       text NOT NULL CHECK (name ~ '^[a-z0-9_.-]{1,64}$'),
    epoch      bigint NOT NULL,   -- grows with each opening; an earlier one moves nothing any more
    lanes      bigint[] NOT NULL CHECK (cardinality(lanes) = 64), -- everything up to here is done
    members    integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON consumer TO app_events;
