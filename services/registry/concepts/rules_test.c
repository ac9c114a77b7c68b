#include "services/registry/concepts/rules.h"

#include <string.h>

#include "common/base/test.h"

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)

static struct arena arena;
static Registry__V1__LocalText texts[4];
static Registry__V1__LocalText *labels[2] = {&texts[0], &texts[1]};
static Registry__V1__LocalText *others[101];
static Registry__V1__ConceptImport concept;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        registry__v1__local_text__init(&texts[i]);
    texts[0].lang = "sv";
    texts[0].value = "  Energiledning ";
    texts[1].lang = "en";
    texts[1].value = "energy management";
    texts[2].lang = "sv";
    texts[2].value = "Ålderdomlig ENERGI";
    texts[3].lang = "sv";
    texts[3].value = "energi";
    registry__v1__concept_import__init(&concept);
    concept.uri = "http://data.europa.eu/esco/skill/1";
    concept.kind = REGISTRY__V1__CONCEPT_KIND__SKILL;
    concept.labels = labels;
    concept.n_labels = 2;
    concept.alternatives = others;
    others[0] = &texts[2];
    others[1] = &texts[3];
    concept.n_alternatives = 2;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct status
run(struct concept_entry *ret)
{
    return rules_concept(&arena, 7, "1.1.1", &concept, ret);
}

static struct status
check(void)
{
    struct concept_entry entry;

    return run(&entry);
}

static void
a_concept_is_trimmed_folded_and_falls_back_to_english(void **state)
{
    struct concept_entry entry;

    (void)state;
    assert_false(failed(run(&entry)));
    assert_string_equal(entry.labels[LANG_SV], "Energiledning");
    assert_string_equal(entry.labels[LANG_FI], "");
    assert_string_equal(entry.alternatives[LANG_SV], "Ålderdomlig ENERGI\nenergi");
    assert_string_equal(entry.sorts[LANG_SV], "energiledning");
    assert_string_equal(entry.sorts[LANG_FI], "energy management");
    assert_string_equal(entry.folded,
                        "energiledning\nålderdomlig energi\nenergi\nenergy management");
    assert_int_equal(strlen(entry.hash), CONCEPT_HASH_SIZE - 1);
}

static void
the_hash_tells_every_content_apart(void **state)
{
    struct concept_entry first, second, moved, newer;
    const char *broader[] = {"x:1"};

    (void)state;
    assert_false(failed(run(&first)));
    assert_false(failed(run(&second)));
    assert_string_equal(first.hash, second.hash);
    texts[3].lang = "en"; /* the same words, in another place */
    assert_false(failed(run(&moved)));
    assert_string_not_equal(first.hash, moved.hash);
    texts[3].lang = "sv";
    assert_false(failed(rules_concept(&arena, 0, "1.2", &concept, &newer)));
    assert_string_not_equal(first.hash, newer.hash);
    concept.broader_uris = broader;
    concept.n_broader_uris = 1;
    assert_false(failed(run(&moved)));
    assert_string_not_equal(first.hash, moved.hash);
}

static void
each_fault_names_its_place(void **state)
{
    const char *broader[] = {"x:1", "no uri"};

    (void)state;
    concept.uri = "no uri";
    assert_field(check(), "concepts[7].uri");
    concept.uri = ":x";
    assert_field(check(), "concepts[7].uri");
    concept.uri = "x:1";
    concept.kind = 0;
    assert_field(check(), "concepts[7].kind");
    concept.kind = 9;
    assert_field(check(), "concepts[7].kind");
    concept.kind = REGISTRY__V1__CONCEPT_KIND__SKILL;
    texts[1].lang = "de";
    assert_field(check(), "concepts[7].labels[1].lang");
    texts[1].lang = "sv";
    assert_field(check(), "concepts[7].labels");
    texts[1].lang = "en";
    texts[1].value = "two\nlines";
    assert_field(check(), "concepts[7].labels[1].value");
    texts[1].value = " ";
    assert_field(check(), "concepts[7].labels[1].value");
    texts[1].value = "fine";
    texts[3].value = "";
    assert_field(check(), "concepts[7].alternatives[1].value");
    texts[3].value = "fine";
    concept.broader_uris = broader;
    concept.n_broader_uris = 2;
    assert_field(check(), "concepts[7].broader_uris[1]");
    concept.n_broader_uris = 0;
    concept.n_labels = 0;
    assert_field(check(), "concepts[7].labels");
}

static void
lists_have_limits(void **state)
{
    const char *broader[51];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        others[i] = &texts[3];
    concept.n_alternatives = 100;
    assert_false(failed(check()));
    concept.n_alternatives = 101;
    assert_field(check(), "concepts[7].alternatives");
    concept.n_alternatives = 0;
    for (size_t i = 0; i < COUNT_OF(broader); i++)
        broader[i] = "x:1";
    concept.broader_uris = broader;
    concept.n_broader_uris = 51;
    assert_field(check(), "concepts[7].broader_uris");
}

static void
a_vocabulary_has_a_plain_name(void **state)
{
    (void)state;
    assert_false(failed(rules_vocabulary(&arena, "esco")));
    assert_false(failed(rules_vocabulary_version(&arena, "1.1.1")));
    assert_field(rules_vocabulary(&arena, ""), "vocabulary");
    assert_field(rules_vocabulary(&arena, "ESCO"), "vocabulary");
    assert_field(rules_vocabulary(&arena, "åäö"), "vocabulary");
    assert_field(rules_vocabulary_version(&arena, "1 1"), "vocabulary_version");
}

static void
a_uri_stands_once_in_a_batch(void **state)
{
    struct concept_entry entries[] = {{.uri = "x:b"}, {.uri = "x:a"}, {.uri = "x:b"}};

    (void)state;
    assert_false(failed(rules_concepts_distinct(&arena, entries, 2)));
    assert_field(rules_concepts_distinct(&arena, entries, 3), "concepts[2].uri");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_concept_is_trimmed_folded_and_falls_back_to_english),
        TEST(the_hash_tells_every_content_apart),
        TEST(each_fault_names_its_place),
        TEST(lists_have_limits),
        TEST(a_vocabulary_has_a_plain_name),
        TEST(a_uri_stands_once_in_a_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
