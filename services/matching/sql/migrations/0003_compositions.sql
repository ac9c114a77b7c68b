-- Compositions: what was asked, what it was solved from, and every run.

CREATE TABLE composition (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    question   bytea NOT NULL, -- a packed matching.v1.CompositionQuestion
    facts      bytea,          -- a packed matching.v1.CompositionFacts; NULL: not read yet
    position   bigint NOT NULL DEFAULT 0, -- of the index when the facts were read
    state      smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),
    failure    text NOT NULL DEFAULT '' CHECK (length(failure) <= 1000),
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

-- Added to, never changed.
CREATE TABLE composition_run (
    tenant_id      uuid NOT NULL,
    composition_id uuid NOT NULL,
    number         integer NOT NULL CHECK (number > 0),
    packed         bytea NOT NULL, -- a matching.v1.CompositionRun
    inputs_hash    text NOT NULL,
    answer_hash    text NOT NULL,
    solved_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, composition_id, number),
    FOREIGN KEY (tenant_id, composition_id) REFERENCES composition (tenant_id, id)
);

-- Taken by moving due_at; `attempts` tells who took it last.
CREATE TABLE composition_job (
    tenant_id      uuid NOT NULL,
    composition_id uuid NOT NULL,
    due_at         timestamptz NOT NULL DEFAULT now(),
    attempts       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, composition_id),
    FOREIGN KEY (tenant_id, composition_id) REFERENCES composition (tenant_id, id)
);

GRANT SELECT, INSERT, UPDATE ON composition TO app_matching;
GRANT SELECT, INSERT ON composition_run TO app_matching;
GRANT SELECT, INSERT, UPDATE, DELETE ON composition_job TO app_matching;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['composition', 'composition_run', 'composition_job']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO app_matching '
                       'USING (tenant_id = current_setting(''app.tenant'')::uuid) '
                       'WITH CHECK (tenant_id = current_setting(''app.tenant'')::uuid)', name);
    END LOOP;
END
$$;
