-- The people of population.h as registry publishes them: run on a fresh database of our own, once
-- bench_person (id, region, languages, day, year, terms) is filled.  %(people)s: how many.
SET session_replication_role = replica;  -- no trigger looks at each of a million rows
SELECT setseed(0.5);

-- Three syllables and an ending, the same for a number each time.
CREATE FUNCTION bench_word(number int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT s[number %% 80 + 1] || s[number / 80 %% 80 + 1] || s[number / 6400 %% 80 + 1]
           || (ARRAY['ning', 'en', 'ar', 'isk', 'ation', 'sta', 'ing', 'het'])[number %% 8 + 1]
    FROM (SELECT ARRAY['ba','be','bi','bo','bu','da','de','di','do','du','fa','fe','fi','fo','fu',
        'ga','ge','gi','go','gu','ha','he','hi','ho','hu','ja','je','ji','jo','ju','ka','ke','ki','ko',
        'ku','la','le','li','lo','lu','ma','me','mi','mo','mu','na','ne','ni','no','nu','pa','pe','pi',
        'po','pu','ra','re','ri','ro','ru','sa','se','si','so','su','ta','te','ti','to','tu','va','ve',
        'vi','vo','vu','ska','ste','tri','spo','klu'] AS s) syllables $$;
CREATE FUNCTION bench_id(space text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT ('0193a000-' || space || '-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid $$;
-- Leaves, groups and fields have labels of two words beyond those of the texts.
CREATE FUNCTION bench_label(term int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT bench_word(100000 + term) || ' ' || bench_word(130000 + term) $$;

INSERT INTO registry.tenant (id, slug, name, locale, host)
    SELECT bench_id('000f', n), 'bench-' || n, 'Bench ' || n, 'sv', n = 0
    FROM generate_series(0, 19) n;
INSERT INTO registry.organisation (id, created_by_tenant, name_langs, name_values, name_translated,
                                   name_folded, name_sort, type, ownership, country, nuts)
    SELECT bench_id('000a', n), bench_id('000f', n), '{sv}', ARRAY['Org ' || n], '{f}', 'org ' || n,
           'org ' || n, 1 + n %% 12, 1, 'SE', 'SE312'
    FROM generate_series(0, 19) n;

-- As group_of and field_of of population.h.
INSERT INTO registry.concept (id, uri, vocabulary, vocabulary_version, kind, label_sv, label_fi,
                              label_en, label_folded, broader_uris, content_hash)
    SELECT bench_id('000c', n), 'urn:bench:' || n, 'bench', '1', 1, bench_label(n), bench_label(n),
           bench_label(n), bench_label(n),
           CASE WHEN n < 13900 THEN ARRAY['urn:bench:' || 13900 + n::bigint * 640 / 13900]
                WHEN n < 14540 THEN ARRAY['urn:bench:' || 14540 + (n - 13900) / 8]
                ELSE '{}' END, ''
    FROM generate_series(0, 14619) n;

-- Twelve words, the labels of two skills, and small words between them.
INSERT INTO registry.person (tenant_id, id, kind, display_name, name_sort, languages, concept_ids,
                             concept_weights, degree_isced_f, degree_eqf, degree_on, about_langs,
                             about_values, about_translated, nuts, available_from, visibility,
                             shared_with, talent_pool, updated_at)
    SELECT bench_id('000f', p.id %% 20), bench_id('0001', p.id), 1 + p.id %% 4, '-', '-',
           array_remove(ARRAY[CASE WHEN languages & 1 > 0 THEN 'sv' END,
                              CASE WHEN languages & 2 > 0 THEN 'fi' END,
                              CASE WHEN languages & 4 > 0 THEN 'en' END], NULL),
           t.concepts, t.weights, ARRAY['06' || 10 + p.region %% 4],
           ARRAY[(5 + p.year %% 4)::text], '{2020-01-01}',
           ARRAY[(ARRAY['sv', 'fi', 'en'])[1 + p.id %% 3]], ARRAY[t.about], '{f}',
           'SE' || lpad((p.region + 110)::text, 3, '0'), NULL, CASE WHEN p.id %% 4 = 0 THEN 2 ELSE 3 END,
           CASE WHEN p.id %% 4 = 0 THEN ARRAY[bench_id('000f', 0)] ELSE '{}' END, true,
           timestamptz '2026-11-01' - p.year * interval '20 days'
    FROM bench_person p,
         LATERAL (SELECT array_agg(bench_id('000c', term)) FILTER (WHERE term < 13900) AS concepts,
                         array_agg(1000::bigint) FILTER (WHERE term < 13900) AS weights,
                         'Jag har arbetat med ' || string_agg(
                             CASE WHEN term < 13900 THEN bench_label(term) ELSE bench_word(term) END, ' ')
                             FILTER (WHERE term >= 14620 OR place <= 2) || ' och vill lära mig mer.' AS about
                  FROM unnest(p.terms) WITH ORDINALITY AS had(term, place)) t
    WHERE p.id < %(people)s;
SET session_replication_role = origin;
ANALYZE registry.person;
