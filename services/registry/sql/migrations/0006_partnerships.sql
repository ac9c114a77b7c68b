-- Partnerships of several organisations: who is invited, what each commits to, and what the
-- programme's rules say of it.

CREATE TABLE partnership (
    tenant_id           uuid NOT NULL REFERENCES tenant (id),
    id                  uuid NOT NULL,
    title               text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    programme_code      text NOT NULL,
    state               smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
    eligibility         smallint NOT NULL DEFAULT 0 CHECK (eligibility BETWEEN 0 AND 4),
    start_on            date,
    end_on              date,
    follow_up_on        date,
    activities          text[] NOT NULL DEFAULT '{}' CHECK (cardinality(activities) <= 20),
    sustainability_plan text NOT NULL DEFAULT '' CHECK (length(sustainability_plan) <= 4000),
    outreach_target     bigint NOT NULL DEFAULT 0 CHECK (outreach_target >= 0),
    version             bigint NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CHECK (end_on IS NULL OR start_on IS NULL OR end_on > start_on)
);
CREATE INDEX partnership_newest ON partnership (tenant_id, id DESC);

-- One row for each organisation that was asked, also when it declined.
CREATE TABLE partnership_member (
    tenant_id       uuid NOT NULL,
    partnership_id  uuid NOT NULL,
    organisation_id uuid NOT NULL REFERENCES organisation (id),
    role            smallint NOT NULL CHECK (role BETWEEN 1 AND 2),
    state           smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    task            text NOT NULL DEFAULT '' CHECK (length(task) <= 1000),
    benefit         text NOT NULL DEFAULT '' CHECK (length(benefit) <= 1000),
    added_value     text NOT NULL DEFAULT '' CHECK (length(added_value) <= 2000),
    reason          text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
    invited_at      timestamptz NOT NULL DEFAULT now(),
    answered_at     timestamptz,
    PRIMARY KEY (tenant_id, partnership_id, organisation_id),
    FOREIGN KEY (tenant_id, partnership_id) REFERENCES partnership (tenant_id, id)
);
CREATE INDEX partnership_member_organisation ON partnership_member (organisation_id);

CREATE TABLE partnership_verdict (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    partnership_id   uuid NOT NULL,
    programme_code   text NOT NULL,
    rule_set_version text NOT NULL,
    overall          smallint NOT NULL CHECK (overall BETWEEN 1 AND 4),
    mode             smallint NOT NULL CHECK (mode BETWEEN 1 AND 2),
    packed           bytea NOT NULL,  -- registry.v1.Verdict, without words
    inputs_hash      text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, partnership_id) REFERENCES partnership (tenant_id, id)
);

GRANT SELECT, INSERT, UPDATE ON partnership, partnership_member TO app_registry;
GRANT SELECT, INSERT ON partnership_verdict TO app_registry;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['partnership', 'partnership_member', 'partnership_verdict']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY %I ON %I TO app_registry '
                       'USING (tenant_id = current_setting(''app.tenant'')::uuid) '
                       'WITH CHECK (tenant_id = current_setting(''app.tenant'')::uuid)',
                       name || '_own', name);
    END LOOP;
END
$$;

-- What the composer of matching reads: organisations and who owns whom are public facts; who took
-- part in what is told within the tenant only.
CREATE VIEW published_organisations WITH (security_invoker = true) AS
    SELECT id, name_values[1] AS name, organisation_type_word(type) AS type, country,
           coalesce(nuts, '') AS nuts
    FROM organisation
    WHERE status = 1;
CREATE VIEW published_ownership WITH (security_invoker = true) AS
    SELECT parent_id, child_id, kind, share_thousandths
    FROM organisation_relation
    WHERE kind IN (1, 2, 3) AND coalesce(valid_from <= current_date, true)
      AND coalesce(valid_to > current_date, true);
CREATE VIEW published_partners WITH (security_invoker = true) AS
    SELECT tenant_id, partnership_id, organisation_id, state
    FROM partnership_member;
GRANT SELECT ON published_organisations, published_ownership, published_partners TO app_matching;
GRANT SELECT (id, name_values, type, country, nuts, status) ON organisation TO app_matching;
GRANT SELECT (parent_id, child_id, kind, share_thousandths, valid_from, valid_to)
    ON organisation_relation TO app_matching;
GRANT SELECT (tenant_id, partnership_id, organisation_id, state) ON partnership_member
    TO app_matching;
CREATE POLICY partnership_member_published ON partnership_member FOR SELECT TO app_matching
    USING (tenant_id = current_setting('app.tenant')::uuid);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['partnership', 'partnership_member', 'partnership_verdict']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %I FOR EACH ROW '
                       'EXECUTE FUNCTION refuse_remote_tenant()', name || '_local', name);
    END LOOP;
END
$$;
