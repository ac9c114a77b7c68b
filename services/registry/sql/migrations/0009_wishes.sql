-- What a person would like to work with.  Matching reads it, and hears of it as of the rest of the
-- profile.

ALTER TABLE person
    ADD COLUMN wished_concept_ids     uuid[] NOT NULL DEFAULT '{}'
        CHECK (cardinality(wished_concept_ids) <= 20),
    ADD COLUMN wished_concept_weights bigint[] NOT NULL DEFAULT '{}'
        CHECK (cardinality(wished_concept_weights) = cardinality(wished_concept_ids)),
    ADD COLUMN wished_nuts            text[] NOT NULL DEFAULT '{}'
        CHECK (cardinality(wished_nuts) <= 8),
    ADD COLUMN wished_focus           bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN wished_themes          bigint[] NOT NULL DEFAULT '{}';

-- As before, with the wishes at its end.
CREATE OR REPLACE VIEW published_profiles WITH (security_invoker = true) AS
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
           p.version, p.updated_at,
           p.wished_concept_ids, p.wished_concept_weights::int[] AS wished_concept_weights,
           p.wished_nuts,
           focus_words(p.wished_focus) || theme_words(p.wished_themes) AS wished_tags
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
           is_sme(o.headcount, o.turnover_eur, o.balance_eur), n.version, n.updated_at,
           '{}'::uuid[], '{}'::int[], '{}'::text[], '{}'::text[]
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
           is_sme(o.headcount, o.turnover_eur, o.balance_eur), c.version, c.updated_at,
           '{}'::uuid[], '{}'::int[], '{}'::text[], '{}'::text[]
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
           '{}'::text[], '{}'::text[], NULL::date, NULL::date, 1, false, e.version, e.updated_at,
           '{}'::uuid[], '{}'::int[], '{}'::text[], '{}'::text[]
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
           is_sme(o.headcount, o.turnover_eur, o.balance_eur), t.version, t.updated_at,
           '{}'::uuid[], '{}'::int[], '{}'::text[], '{}'::text[]
    FROM placement t LEFT JOIN organisation o ON o.id = t.host_organisation_id
    WHERE t.state = 3;

GRANT SELECT (wished_concept_ids, wished_concept_weights, wished_nuts, wished_focus, wished_themes)
    ON person TO app_matching;
