-- What notifications keeps.  Numbers are those of proto/notifications/v1.

CREATE TABLE subscription (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    account_id uuid NOT NULL,
    topic      smallint NOT NULL CHECK (topic BETWEEN 1 AND 4),
    email      boolean NOT NULL,
    version    bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, account_id, topic)
);
CREATE INDEX subscription_topic ON subscription (tenant_id, topic);

-- A message says what happened to what; its words are made when it is read or sent.
CREATE TABLE message (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL,
    account_id   uuid NOT NULL,
    event_id     uuid NOT NULL,
    position     bigint NOT NULL,
    topic        smallint NOT NULL,
    kind         smallint NOT NULL,  -- enum message_kind of rules.h
    detail       bigint NOT NULL,    -- what the kind needs: a verdict, an outcome, a score
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    read_at      timestamptz,
    version      bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, account_id, event_id)
);
CREATE INDEX message_newest ON message (tenant_id, account_id, id DESC);
CREATE INDEX message_unread ON message (tenant_id, account_id) WHERE read_at IS NULL;

-- A mail's row is committed as SENDING before the mail is sent; one that nobody finishes within the
-- lease is sent again with the same Message-ID.
CREATE TABLE mail (
    tenant_id   uuid NOT NULL,
    message_id  uuid NOT NULL,
    state       smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),
    attempts    integer NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT now(),
    last_error  text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, message_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX mail_due ON mail (tenant_id, due_at) WHERE state IN (1, 2);

-- Where the sender has to look, and when: the ids of tenants with mail to send, nothing else.
CREATE TABLE mailbag (
    id     uuid PRIMARY KEY,
    due_at timestamptz NOT NULL
);
CREATE INDEX mailbag_due ON mailbag (due_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON subscription, message, mail, mailbag TO app_notifications;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['subscription', 'message', 'mail']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY %I ON %I TO app_notifications '
                       'USING (tenant_id = current_setting(''app.tenant'')::uuid) '
                       'WITH CHECK (tenant_id = current_setting(''app.tenant'')::uuid)',
                       name || '_own', name);
    END LOOP;
END
$$;
