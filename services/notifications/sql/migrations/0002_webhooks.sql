-- Webhooks and what they send.  Numbers are those of proto/notifications/v1/webhooks.proto.

CREATE TABLE webhook (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    url           text NOT NULL,
    types         text[] NOT NULL,
    tenant_ids    text[] NOT NULL,
    subjects      text[] NOT NULL,
    programmes    text[] NOT NULL,
    nuts          text[] NOT NULL,
    concepts      text[] NOT NULL,
    mode          smallint NOT NULL CHECK (mode BETWEEN 1 AND 3),
    description   text NOT NULL,
    state         smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4),
    reason        smallint NOT NULL DEFAULT 0 CHECK (reason BETWEEN 0 AND 2),
    verified      boolean NOT NULL DEFAULT false, -- its URL has answered a verification
    public_key    text NOT NULL,
    secret        bytea NOT NULL,                 -- sealed: see webhooks/seal.h
    secret_number integer NOT NULL DEFAULT 1,
    old_secret    bytea,
    old_until     timestamptz,
    -- Live: every event up to the follower's position has its delivery.  Else: up to fed_through.
    live          boolean NOT NULL DEFAULT false,
    fed_through   bigint NOT NULL,
    slow_until    timestamptz NOT NULL DEFAULT now(), -- the receiver asked for patience
    told          boolean NOT NULL DEFAULT true,      -- officers know that it is disabled
    created_at    timestamptz NOT NULL DEFAULT now(),
    version       bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id)
);

-- One event on its way to one webhook.  Of the open deliveries (states 1, 2 and 3) of a line only
-- one is not WAITING, so that the events of a partition key arrive in order.  A row is committed as
-- SENDING before its request leaves.
CREATE TABLE webhook_delivery (
    tenant_id    uuid NOT NULL,
    id           bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    webhook_id   uuid NOT NULL,
    kind         smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),  -- event, verification, test
    position     bigint,             -- of an event
    message_id   text NOT NULL,      -- the webhook-id header
    event_id     text NOT NULL,
    type         text NOT NULL,
    line         text NOT NULL,      -- partition key; "": the one line of a batching webhook
    batch        uuid,               -- its events leave in one request, under this id
    headers      text NOT NULL,      -- those of the event, a line each
    body         bytea NOT NULL,
    state        smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    attempts     integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT now(),  -- SENDING: the end of the lease
    status       integer NOT NULL DEFAULT 0,
    latency_ms   integer NOT NULL DEFAULT 0,
    error        text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, webhook_id, position),
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhook (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (tenant_id, webhook_id, due_at, id)
    WHERE state IN (1, 3);
CREATE UNIQUE INDEX webhook_delivery_head ON webhook_delivery (tenant_id, webhook_id, line)
    WHERE state IN (1, 3);
CREATE INDEX webhook_delivery_line ON webhook_delivery (tenant_id, webhook_id, line, position)
    WHERE state IN (1, 2, 3);
CREATE INDEX webhook_delivery_newest ON webhook_delivery (tenant_id, webhook_id, id DESC);
CREATE INDEX webhook_delivery_batch ON webhook_delivery (tenant_id, batch) WHERE batch IS NOT NULL;
CREATE INDEX webhook_delivery_old ON webhook_delivery (tenant_id, delivered_at) WHERE state > 3;

-- Where the threads have to look, and when: the ids of tenants with webhooks, nothing else.  Its
-- row is locked before a tenant's webhooks or deliveries change.
CREATE TABLE webhook_roll (
    id      uuid PRIMARY KEY,
    live    boolean NOT NULL DEFAULT false,      -- a webhook takes events as they come
    lags    boolean NOT NULL DEFAULT false,      -- one is to be fed from the log
    untold  boolean NOT NULL DEFAULT false,      -- officers are to be told of one
    due_at  timestamptz                          -- of the next delivery; NULL: none waits
);
CREATE INDEX webhook_roll_due ON webhook_roll (due_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook, webhook_delivery, webhook_roll
    TO app_notifications;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhook', 'webhook_delivery']
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
