-- What every service's schema has.  scripts/migrate runs this in each schema before the service's
-- own migrations, with :schema and :app_role replaced, and records it as version 0.  Once applied
-- it never changes: a later change of these tables is a numbered migration of each service.

GRANT USAGE ON SCHEMA :schema TO :app_role, auditor;
ALTER DEFAULT PRIVILEGES IN SCHEMA :schema GRANT SELECT ON TABLES TO auditor;

CREATE TABLE schema_migration (
    version    integer PRIMARY KEY CHECK (version >= 0),
    name       text NOT NULL,
    checksum   text NOT NULL, -- SHA-256 of the file, hexadecimal
    applied_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON schema_migration TO :app_role;

-- How far a listener has applied the event log.
CREATE TABLE listener (
    name     text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    moved_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON listener TO :app_role;

-- Events whose handler failed until it was given up; the listener went on without them.
CREATE TABLE parked_event (
    listener  text NOT NULL,
    position  bigint NOT NULL CHECK (position > 0),
    type      text NOT NULL,
    event     bytea NOT NULL, -- the packed CloudEvent
    code      text NOT NULL,
    detail    text NOT NULL,
    tries     integer NOT NULL CHECK (tries > 0),
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (listener, position)
);
GRANT SELECT, INSERT, DELETE ON parked_event TO :app_role;

-- One effect per key: the key's row is written first in the transaction of its effect, the answer
-- last.  A call without a tenant has the nil UUID here.
CREATE TABLE idempotency (
    tenant_id    uuid NOT NULL,
    principal    text NOT NULL,
    method       text NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    answer       bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, principal, method, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO :app_role;
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency TO :app_role
    USING (tenant_id = coalesce(nullif(current_setting('app.tenant'), ''),
                                '00000000-0000-0000-0000-000000000000')::uuid)
    WITH CHECK (tenant_id = coalesce(nullif(current_setting('app.tenant'), ''),
                                     '00000000-0000-0000-0000-000000000000')::uuid);
-- The job that removes old keys works for all tenants at once.
CREATE POLICY expired_seen ON idempotency FOR SELECT TO :app_role
    USING (created_at < now() - interval '48 hours');
CREATE POLICY expired_removed ON idempotency FOR DELETE TO :app_role
    USING (created_at < now() - interval '48 hours');
