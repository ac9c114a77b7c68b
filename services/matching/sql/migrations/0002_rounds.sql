-- Rounds in which cohorts are assigned.  Numbers are those of proto/matching/v1/assignment.proto;
-- students, topics and limits are known by codes within their round.

CREATE TABLE round (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    title            text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    state            smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 11),
    objective        smallint NOT NULL CHECK (objective BETWEEN 1 AND 5),
    seed             bigint NOT NULL,
    choices_max      integer NOT NULL CHECK (choices_max BETWEEN 1 AND 30),
    fill             boolean NOT NULL,
    objection_days   integer NOT NULL CHECK (objection_days BETWEEN 1 AND 60),
    objections_until timestamptz,
    run              integer NOT NULL DEFAULT 0,   -- of the assignment that stands
    input_hash       text NOT NULL DEFAULT '',     -- of that run
    failure          text NOT NULL DEFAULT '',
    resume           smallint NOT NULL DEFAULT 0,  -- SOLVE_REQUESTED: where it came from
    attempts         integer NOT NULL DEFAULT 0,   -- to solve what is requested
    lease_until      timestamptz,                  -- of the attempt under way
    created_at       timestamptz NOT NULL DEFAULT now(),
    version          bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CHECK ((state = 6) = (resume > 0))
);
CREATE INDEX round_requested ON round (tenant_id, lease_until) WHERE state = 6;

CREATE TABLE round_limit (
    tenant_id uuid NOT NULL,
    round_id  uuid NOT NULL,
    code      text NOT NULL,
    kind      smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    title     text NOT NULL,
    parent    text NOT NULL,
    capacity  integer NOT NULL CHECK (capacity >= 0),
    person_id uuid,             -- the supervisor's profile
    PRIMARY KEY (tenant_id, round_id, code),
    FOREIGN KEY (tenant_id, round_id) REFERENCES round ON DELETE CASCADE
);

CREATE TABLE round_topic (
    tenant_id uuid NOT NULL,
    round_id  uuid NOT NULL,
    code      text NOT NULL,
    title     text NOT NULL,
    owner     text NOT NULL,
    capacity  integer NOT NULL CHECK (capacity >= 0),
    least     integer NOT NULL CHECK (least BETWEEN 0 AND capacity),
    optional  boolean NOT NULL,
    state     smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
    reason    text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, round_id, code),
    FOREIGN KEY (tenant_id, round_id) REFERENCES round ON DELETE CASCADE
);

CREATE TABLE round_student (
    tenant_id  uuid NOT NULL,
    round_id   uuid NOT NULL,
    code       text NOT NULL,
    person_id  uuid,
    choices    text NOT NULL DEFAULT '',   -- topic codes, best first, separated by spaces
    partner    text NOT NULL DEFAULT '',
    pinned     text NOT NULL DEFAULT '',
    pin_reason text NOT NULL DEFAULT '',
    pinned_by  text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, round_id, code),
    FOREIGN KEY (tenant_id, round_id) REFERENCES round ON DELETE CASCADE,
    CHECK ((pinned = '') = (pin_reason = ''))
);
CREATE UNIQUE INDEX round_student_person ON round_student (tenant_id, round_id, person_id);

CREATE TABLE round_ranking (
    tenant_id uuid NOT NULL,
    round_id  uuid NOT NULL,
    owner     text NOT NULL,               -- of a limit or a topic
    student   text NOT NULL,
    rank      integer NOT NULL CHECK (rank > 0),
    PRIMARY KEY (tenant_id, round_id, owner, student),
    FOREIGN KEY (tenant_id, round_id) REFERENCES round ON DELETE CASCADE
);

-- What each solving came to; kept, so that a decision can be looked at again.
CREATE TABLE round_run (
    tenant_id  uuid NOT NULL,
    round_id   uuid NOT NULL,
    run        integer NOT NULL,
    sheet      bytea NOT NULL,              -- a packed matching.v1.Sheet
    solved_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, round_id, run),
    FOREIGN KEY (tenant_id, round_id) REFERENCES round ON DELETE CASCADE
);

-- Who has which topic by the last run, and what kept from better ones.
CREATE TABLE round_place (
    tenant_id uuid NOT NULL,
    round_id  uuid NOT NULL,
    student   text NOT NULL,
    topic     text NOT NULL,
    choice    integer NOT NULL,
    basis     smallint NOT NULL CHECK (basis BETWEEN 1 AND 5),
    barriers  text NOT NULL,                -- "OUTRANKED code" for each better choice, best first
    PRIMARY KEY (tenant_id, round_id, student),
    FOREIGN KEY (tenant_id, round_id) REFERENCES round ON DELETE CASCADE
);

CREATE TABLE round_objection (
    tenant_id  uuid NOT NULL,
    round_id   uuid NOT NULL,
    id         uuid NOT NULL,
    student    text NOT NULL,
    text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    state      smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
    answer     text NOT NULL DEFAULT '' CHECK (length(answer) <= 2000),
    decided_by text NOT NULL DEFAULT '',
    raised_at  timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    PRIMARY KEY (tenant_id, round_id, id),
    FOREIGN KEY (tenant_id, round_id) REFERENCES round ON DELETE CASCADE
);

-- Which tenants have something of a kind, for those who must ask across tenants: 1 rounds to solve,
-- 2 compositions to solve, 3 saved searches.  Ids of tenants, nothing else.
CREATE TABLE roll (
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    id   uuid NOT NULL,
    PRIMARY KEY (kind, id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON round, round_limit, round_topic, round_student,
    round_ranking, round_run, round_place, round_objection, roll TO app_matching;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['round', 'round_limit', 'round_topic', 'round_student',
                                'round_ranking', 'round_run', 'round_place', 'round_objection']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO app_matching '
                       'USING (tenant_id = current_setting(''app.tenant'')::uuid) '
                       'WITH CHECK (tenant_id = current_setting(''app.tenant'')::uuid)', name);
    END LOOP;
END
$$;
