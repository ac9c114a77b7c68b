-- What people wait for, and which profiles they were told of.  A hit's key makes it told once,
-- whichever instance finds it.

CREATE TABLE saved_search (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    account_id     text NOT NULL, -- the account or system that saved it
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    required       uuid[] NOT NULL CHECK (cardinality(required) <= 5),
    optional       uuid[] NOT NULL CHECK (cardinality(optional) <= 8),
    optional_least smallint NOT NULL CHECK (optional_least BETWEEN 0 AND cardinality(optional)),
    kinds          bigint[] NOT NULL,
    nuts           text[] NOT NULL CHECK (cardinality(nuts) <= 16),
    languages      text[] NOT NULL CHECK (cardinality(languages) <= 8),
    available_by   date,
    saved_at       timestamptz NOT NULL DEFAULT now(),
    version        bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CHECK (cardinality(required) > 0 OR optional_least > 0)
);
CREATE INDEX saved_search_by_account ON saved_search (tenant_id, account_id, id DESC);

CREATE TABLE search_hit (
    tenant_id         uuid NOT NULL,
    search_id         uuid NOT NULL,
    profile_id        uuid NOT NULL,
    profile_kind      smallint NOT NULL CHECK (profile_kind BETWEEN 1 AND 5),
    profile_tenant_id uuid NOT NULL,
    position          bigint NOT NULL,
    told_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, search_id, profile_id),
    FOREIGN KEY (tenant_id, search_id) REFERENCES saved_search (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX search_hit_newest ON search_hit (tenant_id, search_id, position DESC, profile_id);

GRANT SELECT, INSERT, DELETE, UPDATE ON saved_search TO app_matching;
GRANT SELECT, INSERT, DELETE ON search_hit TO app_matching;

ALTER TABLE saved_search ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_search FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON saved_search TO app_matching
    USING (tenant_id = current_setting('app.tenant')::uuid)
    WITH CHECK (tenant_id = current_setting('app.tenant')::uuid);
ALTER TABLE search_hit ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_hit FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON search_hit TO app_matching
    USING (tenant_id = current_setting('app.tenant')::uuid)
    WITH CHECK (tenant_id = current_setting('app.tenant')::uuid);
