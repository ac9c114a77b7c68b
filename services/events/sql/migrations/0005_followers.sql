-- Who follows at which instance, as each tells every few seconds; for people who look, and nothing
-- depends on it.
CREATE UNLOGGED TABLE follower (
    instance          text NOT NULL,
    number            integer NOT NULL,
    user_id           text NOT NULL,
    consumer          text NOT NULL,   -- empty: not a durable one
    position          bigint NOT NULL, -- sent up to here
    events_sent       bigint NOT NULL,
    events_per_second integer NOT NULL,
    blocked           boolean NOT NULL,
    since             timestamptz NOT NULL,
    types             text NOT NULL,   -- of its filter, with commas between
    seen_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (instance, number)
);
GRANT SELECT, INSERT, DELETE ON follower TO app_events;
