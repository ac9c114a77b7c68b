-- Pairs that were shown or told, and what people decided.  A pair is remembered once for each
-- tenant: by the tenant of the side that seeks when matching found it, by the tenant that asked
-- otherwise.

CREATE TABLE suggestion (
    tenant_id             uuid NOT NULL,
    id                    uuid NOT NULL,
    query_kind            smallint NOT NULL CHECK (query_kind BETWEEN 1 AND 5),
    query_id              uuid NOT NULL,
    query_tenant_id       uuid NOT NULL,
    query_organisation_id uuid,
    candidate_kind        smallint NOT NULL CHECK (candidate_kind BETWEEN 1 AND 5),
    candidate_id          uuid NOT NULL,
    candidate_tenant_id   uuid NOT NULL,
    candidate_person_kind text NOT NULL DEFAULT '',
    shared                boolean NOT NULL, -- the candidate's tenant may see the query
    position              bigint NOT NULL CHECK (position >= 0), -- of the event behind it; 0: asked
    told_at               timestamptz, -- when match.suggested was announced
    score                 integer NOT NULL CHECK (score >= 0), -- thousandths
    weights               text NOT NULL,
    explanation           bytea NOT NULL, -- a packed matching.v1.Explanation; empty: erased
    state                 smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),
    role                  smallint NOT NULL DEFAULT 0 CHECK (role BETWEEN 0 AND 7),
    decline_reason        smallint NOT NULL DEFAULT 0 CHECK (decline_reason BETWEEN 0 AND 14),
    note                  text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
    decided_by            text NOT NULL DEFAULT '',
    suggested_at          timestamptz NOT NULL DEFAULT now(),
    decided_at            timestamptz,
    version               bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, query_id, candidate_id),
    CHECK ((state = 2) = (role > 0)),
    CHECK ((state = 3) = (decline_reason > 0))
);
CREATE INDEX suggestion_best ON suggestion (tenant_id, score DESC, id);
CREATE INDEX suggestion_by_candidate ON suggestion (candidate_id);
CREATE INDEX suggestion_shared ON suggestion (candidate_tenant_id, score DESC, id)
    WHERE shared AND told_at IS NOT NULL;
CREATE INDEX suggestion_by_id ON suggestion (id);

GRANT SELECT, INSERT, UPDATE ON suggestion TO app_matching;
ALTER TABLE suggestion ENABLE ROW LEVEL SECURITY;
ALTER TABLE suggestion FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON suggestion TO app_matching
    USING (tenant_id = current_setting('app.tenant')::uuid)
    WITH CHECK (tenant_id = current_setting('app.tenant')::uuid);
-- The candidate's tenant sees what both sides were told of.
CREATE POLICY candidate_side ON suggestion FOR SELECT TO app_matching
    USING (shared AND told_at IS NOT NULL
           AND candidate_tenant_id = current_setting('app.tenant')::uuid);
