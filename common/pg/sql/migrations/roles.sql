-- The roles of the deployment; run at every start of scripts/migrate, so it repeats harmlessly.
-- A service's role owns nothing and bypasses nothing: row-level security holds for it.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['samverka_owner', 'samverka_deploy', 'app_registry',
                                'app_matching', 'app_events', 'app_notifications', 'auditor']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I', role);
        END IF;
    END LOOP;
END
$$;

ALTER ROLE samverka_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE samverka_deploy LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT;
ALTER ROLE app_registry LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE app_matching LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE app_events LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE app_notifications LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
-- Reads all tenants' rows for backups and audits; nobody logs in as it, no service is a member.
ALTER ROLE auditor NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;

GRANT samverka_owner TO samverka_deploy;

ALTER ROLE app_registry SET search_path = registry;
ALTER ROLE app_matching SET search_path = matching;
ALTER ROLE app_events SET search_path = events;
ALTER ROLE app_notifications SET search_path = notifications;
