-- What registry publishes to matching and events: views with the rights of their reader, so the
-- reader has column grants (no name, no contact) and a policy of its own on the tables behind them.

CREATE FUNCTION text_in(langs text[], texts text[], lang text) RETURNS text
    LANGUAGE sql STABLE
    AS $$ SELECT coalesce(texts[array_position(langs, lang)], '') $$;

CREATE FUNCTION is_sme(headcount bigint, turnover_eur bigint, balance_eur bigint) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$ SELECT headcount IS NOT NULL AND headcount < 250
                 AND NOT (coalesce(turnover_eur, 0) > 50000000
                          AND coalesce(balance_eur, 0) > 43000000) $$;

-- Words for the numbers of the contract's enums, as matching's rules name them.
CREATE FUNCTION words_of(numbers bigint[], words text[]) RETURNS text[]
    LANGUAGE sql STABLE
    AS $$ SELECT coalesce(array_agg(words[n] ORDER BY place), '{}')
          FROM unnest(numbers) WITH ORDINALITY AS given(n, place)
          WHERE words[n] IS NOT NULL $$;

CREATE FUNCTION organisation_type_word(type smallint) RETURNS text
    LANGUAGE sql STABLE
    AS $$ SELECT (ARRAY['hei_university', 'hei_uas', 'company', 'association', 'authority', 'region',
                        'research_institute', 'science_park', 'chamber', 'funder',
                        'business_promotion', 'other'])[type] $$;

CREATE FUNCTION visibility_word(visibility smallint) RETURNS text
    LANGUAGE sql STABLE
    AS $$ SELECT (ARRAY['private', 'shared', 'public'])[visibility] $$;

CREATE FUNCTION focus_words(numbers bigint[]) RETURNS text[]
    LANGUAGE sql STABLE
    AS $$ SELECT registry.words_of(numbers, ARRAY['product', 'market', 'process',
                 'energy_efficiency', 'competence', 'research', 'education']) $$;

CREATE FUNCTION theme_words(numbers bigint[]) RETURNS text[]
    LANGUAGE sql STABLE
    AS $$ SELECT registry.words_of(numbers, ARRAY['digitalisation', 'climate_smart',
                 'energy_transition', 'health_and_welfare', 'forest_and_bioeconomy',
                 'manufacturing', 'tourism', 'built_environment']) $$;

CREATE VIEW published_profiles WITH (security_invoker = true) AS
    SELECT 'person' AS kind, p.id, p.tenant_id,
           (ARRAY['researcher', 'graduate', 'student', 'coach', 'staff', 'staff'])[p.kind]
               AS person_kind,
           p.affiliation_ids[1] AS owner_organisation_id,
           coalesce(organisation_type_word(o.type), '') AS organisation_type,
           visibility_word(p.visibility) AS visibility, p.shared_with,
           p.concept_ids, p.concept_weights::int[] AS concept_weights,
           text_in(p.about_langs, p.about_values, 'sv') AS text_sv,
           text_in(p.about_langs, p.about_values, 'fi') AS text_fi,
           text_in(p.about_langs, p.about_values, 'en') AS text_en,
           coalesce(p.nuts, o.nuts, '') AS nuts, p.languages,
           p.degree_isced_f AS isced_f,
           (SELECT coalesce(max(eqf::smallint), 0::smallint) FROM unnest(p.degree_eqf) AS eqf) AS eqf,
           '{}'::text[] AS focus, '{}'::text[] AS themes,
           p.available_from, NULL::date AS valid_until, p.capacity, false AS sme,
           p.version, p.updated_at
    FROM person p LEFT JOIN organisation o ON o.id = p.affiliation_ids[1]
    WHERE p.talent_pool
UNION ALL
    SELECT 'need', n.id, n.tenant_id, '', n.organisation_id, organisation_type_word(o.type),
           visibility_word(n.visibility), n.shared_with,
           n.concept_ids, n.concept_weights::int[],
           text_in(n.text_langs, n.text_values, 'sv'), text_in(n.text_langs, n.text_values, 'fi'),
           text_in(n.text_langs, n.text_values, 'en'),
           coalesce(n.nuts, o.nuts, ''), n.languages, '{}'::text[], 0::smallint,
           focus_words(n.focus), theme_words(n.themes), NULL::date, n.valid_until, 1,
           is_sme(o.headcount, o.turnover_eur, o.balance_eur), n.version, n.updated_at
    FROM need n JOIN organisation o ON o.id = n.organisation_id
    WHERE n.state = 2
UNION ALL
    SELECT 'capability', c.id, c.tenant_id, '', c.organisation_id, organisation_type_word(o.type),
           visibility_word(c.visibility), c.shared_with,
           c.concept_ids, c.concept_weights::int[],
           text_in(c.text_langs, c.text_values, 'sv'), text_in(c.text_langs, c.text_values, 'fi'),
           text_in(c.text_langs, c.text_values, 'en'),
           coalesce(c.nuts, o.nuts, ''), '{}'::text[], '{}'::text[], 0::smallint,
           focus_words(c.focus), theme_words(c.themes), NULL::date, c.valid_until, 1,
           is_sme(o.headcount, o.turnover_eur, o.balance_eur), c.version, c.updated_at
    FROM capability c JOIN organisation o ON o.id = c.organisation_id
    WHERE NOT c.withdrawn
UNION ALL
    SELECT 'infrastructure', e.id, e.tenant_id, '', e.organisation_id,
           organisation_type_word(o.type), visibility_word(e.visibility), e.shared_with,
           e.concept_ids, e.concept_weights::int[],
           text_in(e.name_langs, e.name_values, 'sv') || E'\n'
               || text_in(e.text_langs, e.text_values, 'sv'),
           text_in(e.name_langs, e.name_values, 'fi') || E'\n'
               || text_in(e.text_langs, e.text_values, 'fi'),
           text_in(e.name_langs, e.name_values, 'en') || E'\n'
               || text_in(e.text_langs, e.text_values, 'en'),
           coalesce(e.nuts, o.nuts, ''), '{}'::text[], '{}'::text[], 0::smallint,
           '{}'::text[], '{}'::text[], NULL::date, NULL::date, 1, false, e.version, e.updated_at
    FROM equipment e JOIN organisation o ON o.id = e.organisation_id
    WHERE NOT e.delisted
UNION ALL
    SELECT 'placement', t.id, t.tenant_id, '', t.host_organisation_id,
           coalesce(organisation_type_word(o.type), ''), visibility_word(t.visibility),
           t.shared_with, t.concept_ids, t.concept_weights::int[],
           text_in(t.text_langs, t.text_values, 'sv'), text_in(t.text_langs, t.text_values, 'fi'),
           text_in(t.text_langs, t.text_values, 'en'),
           coalesce(t.nuts, o.nuts, ''), t.languages, '{}'::text[], 6::smallint,
           focus_words(t.focus), '{}'::text[], t.start_on, NULL::date, 1,
           is_sme(o.headcount, o.turnover_eur, o.balance_eur), t.version, t.updated_at
    FROM placement t LEFT JOIN organisation o ON o.id = t.host_organisation_id
    WHERE t.state = 3;

CREATE VIEW published_concepts WITH (security_invoker = true) AS
    SELECT c.id, c.uri,
           coalesce((SELECT array_agg(b.id ORDER BY b.id) FROM concept b
                     WHERE b.uri = ANY (c.broader_uris) AND (b.active OR b.retired)), '{}')
               AS broader,
           c.label_sv, c.label_fi, c.label_en, c.alt_sv, c.alt_fi, c.alt_en
    FROM concept c
    WHERE c.active OR c.retired;  -- profiles made with an earlier vocabulary still match

CREATE VIEW published_systems WITH (security_invoker = true) AS
    SELECT s.id AS system_id, s.curve_key AS key, ARRAY[s.tenant_id] AS tenant_ids, s.types,
           s.expires_at
    FROM system s
    WHERE NOT s.revoked AND s.curve_key IS NOT NULL
          AND (s.expires_at IS NULL OR s.expires_at > now());

GRANT USAGE ON SCHEMA registry TO app_matching, app_events;
GRANT SELECT ON published_profiles, published_concepts TO app_matching;
GRANT SELECT ON published_systems TO app_events;

GRANT SELECT (id, tenant_id, kind, languages, affiliation_ids, degree_isced_f, degree_eqf, concept_ids,
              concept_weights, about_langs, about_values, nuts, available_from, capacity, visibility,
              shared_with, talent_pool, version, updated_at) ON person TO app_matching;
GRANT SELECT (id, tenant_id, organisation_id, text_langs, text_values, focus, themes, concept_ids,
              concept_weights, nuts, languages, valid_until, visibility, shared_with, state, version,
              updated_at) ON need TO app_matching;
GRANT SELECT (id, tenant_id, organisation_id, text_langs, text_values, focus, themes, concept_ids,
              concept_weights, nuts, valid_until, visibility, shared_with, withdrawn, version,
              updated_at) ON capability TO app_matching;
GRANT SELECT (id, tenant_id, organisation_id, name_langs, name_values, text_langs, text_values,
              concept_ids, concept_weights, nuts, visibility, shared_with, delisted, version,
              updated_at) ON equipment TO app_matching;
GRANT SELECT (id, tenant_id, host_organisation_id, state, focus, concept_ids, concept_weights, text_langs,
              text_values, languages, nuts, start_on, visibility, shared_with, version, updated_at)
    ON placement TO app_matching;
GRANT SELECT (id, type, nuts, headcount, turnover_eur, balance_eur) ON organisation TO app_matching;
GRANT SELECT ON concept TO app_matching;
GRANT SELECT (tenant_id, id, curve_key, types, expires_at, revoked) ON system TO app_events;

CREATE POLICY person_published ON person FOR SELECT TO app_matching USING (true);
CREATE POLICY need_published ON need FOR SELECT TO app_matching USING (true);
CREATE POLICY capability_published ON capability FOR SELECT TO app_matching USING (true);
CREATE POLICY equipment_published ON equipment FOR SELECT TO app_matching USING (true);
CREATE POLICY placement_published ON placement FOR SELECT TO app_matching USING (true);
CREATE POLICY system_published ON system FOR SELECT TO app_events USING (true);
