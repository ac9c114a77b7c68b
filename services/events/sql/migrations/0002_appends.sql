-- An append may bring events that are known already: then they are counted, and nothing is added.
ALTER TABLE append_source ADD COLUMN duplicates bigint NOT NULL DEFAULT 0 CHECK (duplicates >= 0);
ALTER TABLE append_source DROP CONSTRAINT append_source_first_check;
ALTER TABLE append_source ADD CONSTRAINT append_source_first_check CHECK (first >= 0);

-- What a system may append, in whose name, and how much it may ask; as far as registry publishes it.
DROP FUNCTION systems();
CREATE FUNCTION systems()
    RETURNS TABLE (system_id uuid, key text, tenant_ids uuid[], types text[],
                   expires_at timestamptz, tenant_id uuid, append_types text[],
                   follows_limit integer, events_per_second integer, appends_per_second integer)
    LANGUAGE plpgsql STABLE SECURITY INVOKER
    AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute
               WHERE attrelid = to_regclass('registry.published_systems')
                     AND attname = 'append_types') THEN
        RETURN QUERY SELECT s.system_id, s.key, s.tenant_ids, s.types, s.expires_at, s.tenant_id,
                            s.append_types, s.follows_limit, s.events_per_second,
                            s.appends_per_second
                     FROM registry.published_systems s;
    ELSIF to_regclass('registry.published_systems') IS NOT NULL THEN
        RETURN QUERY SELECT s.system_id, s.key, s.tenant_ids, s.types, s.expires_at,
                            s.tenant_ids[1], '{}'::text[], 0, 0, 0
                     FROM registry.published_systems s;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION systems() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION systems() TO app_events;
