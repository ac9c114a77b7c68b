-- What registry keeps.  Numbers of kinds and states are those of proto/registry/v1.
-- Tables with a tenant_id are under forced row-level security; the others are public facts.

CREATE TABLE tenant (
    id                   uuid PRIMARY KEY,
    slug                 text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,59}$'),
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    locale               text NOT NULL CHECK (locale IN ('sv', 'fi', 'en')),
    host                 boolean NOT NULL DEFAULT false,
    home_organisation_id uuid,
    version              bigint NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX tenant_one_host ON tenant (host) WHERE host;

-- Localised texts are three arrays of the same length: language, value, translated ('t' or 'f').
CREATE TABLE organisation (
    id                 uuid PRIMARY KEY,
    created_by_tenant  uuid NOT NULL REFERENCES tenant (id),
    name_langs         text[] NOT NULL,
    name_values        text[] NOT NULL,
    name_translated    text[] NOT NULL,
    name_folded        text NOT NULL,  -- all names, lower case, joined by line feeds
    name_sort          text NOT NULL,  -- the first name, lower case
    type               smallint NOT NULL CHECK (type BETWEEN 1 AND 12),
    ownership          smallint NOT NULL CHECK (ownership BETWEEN 0 AND 3),
    status             smallint NOT NULL DEFAULT 1 CHECK (status BETWEEN 1 AND 3),
    country            text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    nuts               text,
    nace               text,
    headcount          bigint CHECK (headcount >= 0),  -- NULL: not known
    turnover_eur       bigint CHECK (turnover_eur > 0),
    balance_eur        bigint CHECK (balance_eur > 0),
    size_year          integer,
    competitive_market boolean NOT NULL DEFAULT false,
    website            text,
    verified           boolean NOT NULL DEFAULT false,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CHECK (cardinality(name_langs) BETWEEN 1 AND 10
           AND cardinality(name_langs) = cardinality(name_values)
           AND cardinality(name_langs) = cardinality(name_translated))
);
ALTER TABLE tenant ADD FOREIGN KEY (home_organisation_id) REFERENCES organisation (id);
CREATE INDEX organisation_by_name ON organisation (name_sort COLLATE "C", id);
CREATE INDEX organisation_known_as ON organisation (country, type, name_sort);

CREATE TABLE organisation_external_id (
    scheme          text NOT NULL,
    value           text NOT NULL,
    organisation_id uuid NOT NULL REFERENCES organisation (id),
    verified        boolean NOT NULL DEFAULT false,
    place           smallint NOT NULL,  -- order in which they were given
    PRIMARY KEY (scheme, value)
);
CREATE INDEX organisation_external_id_owner ON organisation_external_id (organisation_id, place);
CREATE INDEX organisation_external_id_value ON organisation_external_id (value);

CREATE TABLE organisation_relation (
    id                uuid PRIMARY KEY,
    parent_id         uuid NOT NULL REFERENCES organisation (id),
    child_id          uuid NOT NULL REFERENCES organisation (id),
    kind              smallint NOT NULL CHECK (kind BETWEEN 1 AND 5),
    share_thousandths integer NOT NULL DEFAULT 0 CHECK (share_thousandths BETWEEN 0 AND 1000),
    valid_from        date,
    valid_to          date,
    source            text NOT NULL,
    created_by_tenant uuid NOT NULL REFERENCES tenant (id),
    CHECK (parent_id <> child_id),
    UNIQUE NULLS NOT DISTINCT (parent_id, child_id, kind, valid_from)
);
CREATE INDEX organisation_relation_child ON organisation_relation (child_id);

CREATE TABLE concept (
    id                 uuid PRIMARY KEY,
    uri                text NOT NULL UNIQUE,
    vocabulary         text NOT NULL,
    vocabulary_version text NOT NULL,
    kind               smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    label_sv           text NOT NULL DEFAULT '',
    label_fi           text NOT NULL DEFAULT '',
    label_en           text NOT NULL DEFAULT '',
    alt_sv             text[] NOT NULL DEFAULT '{}',
    alt_fi             text[] NOT NULL DEFAULT '{}',
    alt_en             text[] NOT NULL DEFAULT '{}',
    sort_sv            text NOT NULL DEFAULT '',  -- the label shown in the language, folded
    sort_fi            text NOT NULL DEFAULT '',
    sort_en            text NOT NULL DEFAULT '',
    label_folded       text NOT NULL,  -- all labels and alternatives, folded, joined by line feeds
    broader_uris       text[] NOT NULL DEFAULT '{}',
    active             boolean NOT NULL DEFAULT true,
    retired            boolean NOT NULL DEFAULT false,  -- was in use before another vocabulary
    content_hash       text NOT NULL   -- of what was imported: an equal one is left alone
);
CREATE INDEX concept_vocabulary ON concept (vocabulary) WHERE active;

CREATE TABLE person (
    tenant_id        uuid NOT NULL REFERENCES tenant (id),
    id               uuid NOT NULL,
    kind             smallint NOT NULL CHECK (kind BETWEEN 1 AND 6),
    display_name     text NOT NULL,
    name_sort        text NOT NULL,
    languages        text[] NOT NULL DEFAULT '{}',
    affiliation_ids  uuid[] NOT NULL DEFAULT '{}',   -- four arrays of one length
    affiliation_roles text[] NOT NULL DEFAULT '{}',
    affiliation_from text[] NOT NULL DEFAULT '{}',
    affiliation_to   text[] NOT NULL DEFAULT '{}',
    degree_isced_f   text[] NOT NULL DEFAULT '{}',   -- three arrays of one length
    degree_eqf       text[] NOT NULL DEFAULT '{}',
    degree_on        text[] NOT NULL DEFAULT '{}',
    concept_ids      uuid[] NOT NULL DEFAULT '{}',   -- two arrays of one length
    concept_weights  bigint[] NOT NULL DEFAULT '{}',
    about_langs      text[] NOT NULL DEFAULT '{}',
    about_values     text[] NOT NULL DEFAULT '{}',
    about_translated text[] NOT NULL DEFAULT '{}',
    nuts             text,
    available_from   date,
    capacity         integer NOT NULL DEFAULT 1 CHECK (capacity BETWEEN 0 AND 1000),
    visibility       smallint NOT NULL DEFAULT 1 CHECK (visibility BETWEEN 1 AND 3),
    shared_with      uuid[] NOT NULL DEFAULT '{}',
    talent_pool      boolean NOT NULL DEFAULT false,
    reference        text,
    account_id       uuid,
    version          bigint NOT NULL DEFAULT 1,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, reference)
);
CREATE INDEX person_id ON person (id);  -- across tenants, for what is shared
CREATE INDEX person_by_name ON person (tenant_id, name_sort COLLATE "C", id);

CREATE TABLE need (
    tenant_id       uuid NOT NULL REFERENCES tenant (id),
    id              uuid NOT NULL,
    organisation_id uuid NOT NULL REFERENCES organisation (id),
    text_langs      text[] NOT NULL,
    text_values     text[] NOT NULL,
    text_translated text[] NOT NULL,
    focus           bigint[] NOT NULL DEFAULT '{}',
    themes          bigint[] NOT NULL DEFAULT '{}',
    concept_ids     uuid[] NOT NULL DEFAULT '{}',
    concept_weights bigint[] NOT NULL DEFAULT '{}',
    nuts            text,
    languages       text[] NOT NULL DEFAULT '{}',
    valid_until     date,
    visibility      smallint NOT NULL CHECK (visibility BETWEEN 1 AND 3),
    shared_with     uuid[] NOT NULL DEFAULT '{}',
    state           smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX need_id ON need (id);
CREATE INDEX need_newest ON need (tenant_id, id DESC);
CREATE INDEX need_running_out ON need (tenant_id, valid_until) WHERE state = 2;

CREATE TABLE capability (
    tenant_id          uuid NOT NULL REFERENCES tenant (id),
    id                 uuid NOT NULL,
    organisation_id    uuid NOT NULL REFERENCES organisation (id),
    kind               smallint NOT NULL CHECK (kind BETWEEN 1 AND 6),
    text_langs         text[] NOT NULL,
    text_values        text[] NOT NULL,
    text_translated    text[] NOT NULL,
    benefit_langs      text[] NOT NULL DEFAULT '{}',
    benefit_values     text[] NOT NULL DEFAULT '{}',
    benefit_translated text[] NOT NULL DEFAULT '{}',
    trl                smallint NOT NULL DEFAULT 0 CHECK (trl BETWEEN 0 AND 9),
    themes             bigint[] NOT NULL DEFAULT '{}',
    focus              bigint[] NOT NULL DEFAULT '{}',
    concept_ids        uuid[] NOT NULL DEFAULT '{}',
    concept_weights    bigint[] NOT NULL DEFAULT '{}',
    nuts               text,
    valid_until        date,
    visibility         smallint NOT NULL CHECK (visibility BETWEEN 1 AND 3),
    shared_with        uuid[] NOT NULL DEFAULT '{}',
    withdrawn          boolean NOT NULL DEFAULT false,
    version            bigint NOT NULL DEFAULT 1,
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX capability_id ON capability (id);

CREATE TABLE equipment (
    tenant_id          uuid NOT NULL REFERENCES tenant (id),
    id                 uuid NOT NULL,
    organisation_id    uuid NOT NULL REFERENCES organisation (id),
    type               smallint NOT NULL CHECK (type BETWEEN 1 AND 2),
    name_langs         text[] NOT NULL,
    name_values        text[] NOT NULL,
    name_translated    text[] NOT NULL,
    name_sort          text NOT NULL,
    text_langs         text[] NOT NULL DEFAULT '{}',
    text_values        text[] NOT NULL DEFAULT '{}',
    text_translated    text[] NOT NULL DEFAULT '{}',
    manufacturer       text NOT NULL DEFAULT '',
    model              text NOT NULL DEFAULT '',
    department         text NOT NULL DEFAULT '',
    terms_langs        text[] NOT NULL DEFAULT '{}',
    terms_values       text[] NOT NULL DEFAULT '{}',
    terms_translated   text[] NOT NULL DEFAULT '{}',
    concept_ids        uuid[] NOT NULL DEFAULT '{}',
    concept_weights    bigint[] NOT NULL DEFAULT '{}',
    nuts               text,
    hours_open         integer NOT NULL DEFAULT 0 CHECK (hours_open BETWEEN 0 AND 168),
    visibility         smallint NOT NULL CHECK (visibility BETWEEN 1 AND 3),
    shared_with        uuid[] NOT NULL DEFAULT '{}',
    delisted           boolean NOT NULL DEFAULT false,
    version            bigint NOT NULL DEFAULT 1,
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX equipment_id ON equipment (id);
CREATE INDEX equipment_by_name ON equipment (tenant_id, name_sort COLLATE "C", id);

-- A login is shared by all tenants; what it may do stands in membership.
CREATE TABLE account (
    id            uuid PRIMARY KEY,
    email         text NOT NULL,
    email_folded  text NOT NULL UNIQUE,
    display_name  text NOT NULL,
    password_hash text NOT NULL,
    language      text NOT NULL CHECK (language IN ('sv', 'fi', 'en')),
    tenant_ids    uuid[] NOT NULL DEFAULT '{}',
    failures      integer NOT NULL DEFAULT 0,  -- since the last success
    locked_until  timestamptz,
    version       bigint NOT NULL DEFAULT 1
);

CREATE TABLE membership (
    tenant_id       uuid NOT NULL REFERENCES tenant (id),
    account_id      uuid NOT NULL REFERENCES account (id),
    roles           bigint[] NOT NULL,
    person_id       uuid,
    organisation_id uuid REFERENCES organisation (id),
    version         bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, account_id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id)
);
ALTER TABLE person ADD FOREIGN KEY (tenant_id, account_id)
    REFERENCES membership (tenant_id, account_id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE session (
    tenant_id       uuid NOT NULL REFERENCES tenant (id),
    id              uuid NOT NULL,
    credential_hash bytea NOT NULL,
    account_id      uuid NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_used_at    timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, credential_hash),
    FOREIGN KEY (tenant_id, account_id) REFERENCES membership (tenant_id, account_id)
        ON DELETE CASCADE
);
CREATE INDEX session_account ON session (tenant_id, account_id);

CREATE TABLE system (
    tenant_id  uuid NOT NULL REFERENCES tenant (id),
    id         uuid NOT NULL,
    name       text NOT NULL,
    curve_key  text,
    token_hash bytea NOT NULL,
    types      text[] NOT NULL DEFAULT '{}',
    expires_at timestamptz,
    revoked    boolean NOT NULL DEFAULT false,
    version    bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, curve_key),
    UNIQUE (tenant_id, token_hash)
);

CREATE TABLE placement (
    tenant_id            uuid NOT NULL REFERENCES tenant (id),
    id                   uuid NOT NULL,
    title                text NOT NULL,
    programme_code       text NOT NULL,
    state                smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 10),
    eligibility          smallint NOT NULL DEFAULT 0 CHECK (eligibility BETWEEN 0 AND 4),
    need_id              uuid,
    host_organisation_id uuid REFERENCES organisation (id),
    hei_ids              uuid[] NOT NULL DEFAULT '{}',
    academic_coach_id    uuid,
    business_coach_id    uuid,
    process_manager_id   uuid,
    associate_id         uuid,
    focus                bigint[] NOT NULL DEFAULT '{}',
    unlisted_focus       text[] NOT NULL DEFAULT '{}',
    fte_thousandths      integer NOT NULL DEFAULT 0 CHECK (fte_thousandths BETWEEN 0 AND 1000),
    start_on             date,
    end_on               date,
    strategic_rationale  text NOT NULL DEFAULT '',
    rationale_approved   boolean NOT NULL DEFAULT false,
    funded_title         text,
    funded_start         date,
    funded_end           date,
    concept_ids          uuid[] NOT NULL DEFAULT '{}',
    concept_weights      bigint[] NOT NULL DEFAULT '{}',
    text_langs           text[] NOT NULL DEFAULT '{}',
    text_values          text[] NOT NULL DEFAULT '{}',
    text_translated      text[] NOT NULL DEFAULT '{}',
    languages            text[] NOT NULL DEFAULT '{}',
    nuts                 text,
    visibility           smallint NOT NULL DEFAULT 1 CHECK (visibility BETWEEN 1 AND 3),
    shared_with          uuid[] NOT NULL DEFAULT '{}',
    started_on           date,
    ended_on             date,
    outcome              smallint NOT NULL DEFAULT 0 CHECK (outcome BETWEEN 0 AND 7),
    offer_answer         smallint NOT NULL DEFAULT 0 CHECK (offer_answer BETWEEN 0 AND 3),
    ended_reason         text,
    version              bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, need_id) REFERENCES need (tenant_id, id),
    FOREIGN KEY (tenant_id, academic_coach_id) REFERENCES person (tenant_id, id),
    FOREIGN KEY (tenant_id, business_coach_id) REFERENCES person (tenant_id, id),
    FOREIGN KEY (tenant_id, process_manager_id) REFERENCES person (tenant_id, id),
    FOREIGN KEY (tenant_id, associate_id) REFERENCES person (tenant_id, id)
);
CREATE INDEX placement_id ON placement (id);
CREATE INDEX placement_newest ON placement (tenant_id, id DESC);

CREATE TABLE application (
    tenant_id    uuid NOT NULL REFERENCES tenant (id),
    id           uuid NOT NULL,
    placement_id uuid NOT NULL,
    person_id    uuid NOT NULL,
    motivation   text NOT NULL DEFAULT '',
    state        smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 7),
    reason       smallint NOT NULL DEFAULT 0 CHECK (reason BETWEEN 0 AND 8),
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    reviewed_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, placement_id, person_id),
    FOREIGN KEY (tenant_id, placement_id) REFERENCES placement (tenant_id, id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id)
);

CREATE TABLE review (
    tenant_id       uuid NOT NULL REFERENCES tenant (id),
    id              uuid NOT NULL,
    placement_id    uuid NOT NULL,
    held_on         date NOT NULL,
    participant_ids uuid[] NOT NULL,
    summary         text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, placement_id) REFERENCES placement (tenant_id, id)
);

-- Verdicts are kept without words: rule ids, outcomes and values; texts are made when read.
CREATE TABLE verdict (
    tenant_id        uuid NOT NULL REFERENCES tenant (id),
    id               uuid NOT NULL,
    placement_id     uuid NOT NULL,
    programme_code   text NOT NULL,
    rule_set_version text NOT NULL,  -- "RS-KTP-SE v1"
    overall          smallint NOT NULL CHECK (overall BETWEEN 1 AND 4),
    mode             smallint NOT NULL CHECK (mode BETWEEN 1 AND 2),
    packed           bytea NOT NULL,  -- registry.v1.Verdict
    inputs_hash      text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, placement_id) REFERENCES placement (tenant_id, id)
);
CREATE INDEX verdict_newest ON verdict (tenant_id, placement_id, id DESC);

-- Rights.  app_registry works; app_matching and app_events read what is published.
GRANT SELECT, INSERT, UPDATE ON tenant, organisation, organisation_relation, concept, account
    TO app_registry;
GRANT SELECT, INSERT, UPDATE, DELETE ON organisation_external_id TO app_registry;
GRANT SELECT, INSERT, UPDATE, DELETE ON person, need, capability, equipment, membership, session,
    system, placement, application, review, verdict TO app_registry;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['person', 'need', 'capability', 'equipment', 'membership', 'session',
                                'system', 'placement', 'application', 'review', 'verdict']
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

-- What other tenants may read.
CREATE POLICY person_shared ON person FOR SELECT TO app_registry
    USING (talent_pool AND (visibility = 3
           OR (visibility = 2 AND current_setting('app.tenant')::uuid = ANY (shared_with))));
CREATE POLICY need_shared ON need FOR SELECT TO app_registry
    USING (state = 2 AND (visibility = 3
           OR (visibility = 2 AND current_setting('app.tenant')::uuid = ANY (shared_with))));
CREATE POLICY capability_shared ON capability FOR SELECT TO app_registry
    USING (NOT withdrawn AND (visibility = 3
           OR (visibility = 2 AND current_setting('app.tenant')::uuid = ANY (shared_with))));
CREATE POLICY equipment_shared ON equipment FOR SELECT TO app_registry
    USING (NOT delisted AND (visibility = 3
           OR (visibility = 2 AND current_setting('app.tenant')::uuid = ANY (shared_with))));
CREATE POLICY placement_shared ON placement FOR SELECT TO app_registry
    USING (state = 3 AND (visibility = 3
           OR (visibility = 2 AND current_setting('app.tenant')::uuid = ANY (shared_with))));
