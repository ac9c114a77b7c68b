-- Tenants of other deployments, whose public events are seen here, and systems that see public
-- events alone: another deployment that follows this one.

ALTER TABLE tenant
    ADD kind       smallint NOT NULL DEFAULT 1 CHECK (kind IN (1, 2)), -- registry.v1.TenantKind
    ADD deployment text NOT NULL DEFAULT '' CHECK (length(deployment) <= 60),
    ADD CHECK ((kind = 2) = (deployment <> '')),
    ADD CHECK (kind = 1 OR (NOT host AND home_organisation_id IS NULL));
CREATE INDEX tenant_deployment ON tenant (deployment) WHERE kind = 2;

-- A remote tenant is known by its id and owns nothing here: no person, no account, no session, not
-- even what all share.
CREATE FUNCTION refuse_remote_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registry.tenant WHERE id = NEW.tenant_id AND kind = 2) THEN
        RAISE 'a tenant of another deployment owns nothing here' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION refuse_remote_creator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registry.tenant WHERE id = NEW.created_by_tenant AND kind = 2) THEN
        RAISE 'a tenant of another deployment makes nothing here' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION refuse_remote_tenant(), refuse_remote_creator() FROM PUBLIC;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['person', 'need', 'capability', 'equipment', 'membership', 'session',
                                'system', 'placement', 'application', 'review', 'verdict']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %I FOR EACH ROW '
                       'EXECUTE FUNCTION refuse_remote_tenant()', name || '_local', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['organisation', 'organisation_relation']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %I FOR EACH ROW '
                       'EXECUTE FUNCTION refuse_remote_creator()', name || '_local', name);
    END LOOP;
END
$$;

ALTER TABLE system ADD public_only boolean NOT NULL DEFAULT false;

CREATE OR REPLACE VIEW published_systems WITH (security_invoker = true) AS
    SELECT s.id AS system_id, coalesce(s.curve_key, '') AS key,
           CASE WHEN s.public_only THEN '{}' ELSE ARRAY[s.tenant_id] END AS tenant_ids, s.types,
           s.expires_at, s.tenant_id, s.append_types, s.follows_limit, s.events_per_second,
           s.appends_per_second
    FROM system s
    WHERE NOT s.revoked AND (s.expires_at IS NULL OR s.expires_at > now());
GRANT SELECT (public_only) ON system TO app_events;
