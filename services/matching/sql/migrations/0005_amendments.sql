-- What changed of a final round's places: added to, and only erasure touches what stands.
CREATE TABLE round_amendment (
    tenant_id  uuid NOT NULL,
    round_id   uuid NOT NULL,
    number     integer NOT NULL CHECK (number > 0),
    student    text NOT NULL,
    from_topic text NOT NULL,
    to_topic   text NOT NULL,
    choice     integer NOT NULL,  -- of the student's list; 0: not on it
    reason     text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    amended_by text NOT NULL,
    amended_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, round_id, number),
    FOREIGN KEY (tenant_id, round_id) REFERENCES round ON DELETE CASCADE,
    CHECK (from_topic <> to_topic)
);
CREATE INDEX round_amendment_last ON round_amendment (tenant_id, round_id, student, number DESC);

GRANT SELECT, INSERT, UPDATE ON round_amendment TO app_matching;
ALTER TABLE round_amendment ENABLE ROW LEVEL SECURITY;
ALTER TABLE round_amendment FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON round_amendment TO app_matching
    USING (tenant_id = current_setting('app.tenant')::uuid)
    WITH CHECK (tenant_id = current_setting('app.tenant')::uuid);
