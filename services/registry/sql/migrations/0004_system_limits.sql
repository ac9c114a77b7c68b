-- What a system may append to the event log and how much it may ask of it, published to events.

ALTER TABLE system
    ADD append_types       text[] NOT NULL DEFAULT '{}',
    ADD follows_limit      integer NOT NULL DEFAULT 0 CHECK (follows_limit >= 0),
    ADD events_per_second  integer NOT NULL DEFAULT 0 CHECK (events_per_second >= 0),
    ADD appends_per_second integer NOT NULL DEFAULT 0 CHECK (appends_per_second >= 0);

-- A system without a key has an empty one: it can open no connection, but has rights over HTTP.
CREATE OR REPLACE VIEW published_systems WITH (security_invoker = true) AS
    SELECT s.id AS system_id, coalesce(s.curve_key, '') AS key, ARRAY[s.tenant_id] AS tenant_ids,
           s.types, s.expires_at, s.tenant_id, s.append_types, s.follows_limit,
           s.events_per_second, s.appends_per_second
    FROM system s
    WHERE NOT s.revoked AND (s.expires_at IS NULL OR s.expires_at > now());

GRANT SELECT (append_types, follows_limit, events_per_second, appends_per_second)
    ON system TO app_events;
