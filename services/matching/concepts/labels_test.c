#include "services/matching/concepts/labels.h"

#include <time.h>

#include "common/base/test.h"

/* A small vocabulary in three languages; concepts are numbered by their line. */
static const struct {
    enum lang lang;
    const char *label;
    uint32_t concept;
    bool preferred;
} known[] = {
    {LANG_FI, "koneoppiminen", 0, true},
    {LANG_SV, "maskininlärning", 0, true},
    {LANG_EN, "machine learning", 0, true},
    {LANG_EN, "statistical learning", 0, false},
    {LANG_FI, "lämpöpumput", 1, true},
    {LANG_SV, "värmepumpar", 1, true},
    {LANG_EN, "heat pumps", 1, true},
    {LANG_FI, "katu", 2, true},
    {LANG_SV, "projekt", 3, true},
    {LANG_FI, "projektit", 3, true},
    {LANG_SV, "energieffektivisering", 4, true},
    {LANG_FI, "energiatehokkuus", 4, true},
    {LANG_FI, "tekoäly", 5, true},
    {LANG_EN, "Java (programming)", 6, true},
    {LANG_FI, "uusiutuva energia", 7, true},
    {LANG_SV, "svetsning", 8, true},
    {LANG_EN, "photovoltaics", 9, true},
};

struct place {
    struct arena arena, scratch;
    struct words *words;
    struct labels labels;
    struct link links[16];
    size_t count;
};

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    arena_init(&place->arena, (size_t)64 << 20);
    arena_init(&place->scratch, (size_t)16 << 20);
    assert_int_equal(words_create(&place->arena, &place->words).code, CODE_OK);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        uint32_t other;

        assert_int_equal(labels_learn(&place->labels, place->words, known[i].lang,
                                      known[i].label, known[i].concept, known[i].preferred,
                                      &place->scratch, &other)
                             .code,
                         CODE_OK);
        assert_int_equal(other, LABELS_NONE);
    }
    assert_int_equal(labels_finish(&place->labels).code, CODE_OK);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;

    labels_fini(&place->labels);
    words_destroy(&place->words);
    arena_fini(&place->scratch);
    arena_fini(&place->arena);
    free(place);
    return 0;
}

static void
find(struct place *place, enum lang lang, const char *text)
{
    struct word_list list;

    assert_int_equal(words_split(place->words, lang, text, &place->arena, &list).code, CODE_OK);
    place->count =
        labels_link(&place->labels, lang, &list, place->links, COUNT_OF(place->links));
}

/* That `text` names `concept` alone, by the words `span`. */
static void
names(struct place *place, enum lang lang, const char *text, const char *span, uint32_t concept,
      enum link_reason reason)
{
    const char *found;

    find(place, lang, text);
    assert_int_equal(place->count, 1);
    assert_int_equal(place->links[0].concept, concept);
    assert_int_equal(place->links[0].reason, reason);
    found = arena_copy_n(&place->arena, text + place->links[0].at, place->links[0].size);
    assert_string_equal(found, span);
}

static void
a_place_in_a_text_has_its_bytes_and_its_reason(void **state)
{
    struct place *place = *state;

    names(place, LANG_EN, "We use Machine  Learning, daily.", "Machine  Learning", 0,
          LINK_LABEL);
    names(place, LANG_EN, "in Statistical Learning", "Statistical Learning", 0,
          LINK_ALTERNATIVE);
    names(place, LANG_EN, "a heat pump", "heat pump", 1, LINK_INFLECTED);
    names(place, LANG_EN, "java", "java", 6, LINK_ALTERNATIVE);
    names(place, LANG_SV, "Ökad MASKININLÄRNING här", "MASKININLÄRNING", 0, LINK_LABEL);
}

static void
finnish_cases_grades_and_runs_of_inflected_words_are_met(void **state)
{
    struct place *place = *state;

    names(place, LANG_FI, "koneoppimisen", "koneoppimisen", 0, LINK_INFLECTED);
    names(place, LANG_FI, "koneoppimisessa", "koneoppimisessa", 0, LINK_INFLECTED);
    names(place, LANG_FI, "lämpöpumpuilla", "lämpöpumpuilla", 1, LINK_INFLECTED);
    names(place, LANG_FI, "energiatehokkuutta", "energiatehokkuutta", 4, LINK_INFLECTED);
    names(place, LANG_FI, "tekoälyn", "tekoälyn", 5, LINK_INFLECTED);
    names(place, LANG_FI, "tekoälystä", "tekoälystä", 5, LINK_INFLECTED);
    names(place, LANG_FI, "tietoa uusiutuvasta energiasta", "uusiutuvasta energiasta", 7,
          LINK_INFLECTED);
    names(place, LANG_FI, "uusiutuvan energian käyttö", "uusiutuvan energian", 7,
          LINK_INFLECTED);
}

static void
both_parts_of_a_compound_are_told_with_their_own_bytes(void **state)
{
    struct place *place = *state;
    const char *text = "ett energieffektiviseringsprojekt";

    find(place, LANG_SV, text);
    assert_int_equal(place->count, 2);
    assert_int_equal(place->links[0].concept, 4);
    assert_int_equal(place->links[1].concept, 3);
    assert_int_equal(place->links[0].reason, LINK_COMPOUND);
    assert_memory_equal(text + place->links[0].at, "energieffektivisering", 19);
    assert_memory_equal(text + place->links[1].at, "projekt", 7);
    assert_int_equal(place->links[1].size, 7);
    find(place, LANG_FI, "koneoppimisprojekti");
    assert_int_equal(place->count, 2);
    assert_int_equal(place->links[0].concept, 0);
    assert_int_equal(place->links[1].concept, 3);
}

/* Letters that take another number of bytes in lower case. */
static void
a_part_of_a_compound_begins_and_ends_with_whole_letters(void **state)
{
    struct place *place = *state;
    const char *text = "ENERGIEFFEKTIVISERING\u1e9ePROJEKT";

    find(place, LANG_SV, text);
    assert_int_equal(place->count, 2);
    assert_int_equal(place->links[1].at, strlen("ENERGIEFFEKTIVISERING\u1e9e"));
    assert_int_equal(place->links[1].size, strlen("PROJEKT"));
}

static void
a_slip_of_the_pen_is_met_by_letters_with_less_certainty(void **state)
{
    struct place *place = *state;

    names(place, LANG_EN, "photovoltaiks?", "photovoltaiks", 9, LINK_LETTERS);
    assert_true(place->links[0].score < 700);
    find(place, LANG_EN, "photographs and voltages");
    assert_int_equal(place->count, 0);
    find(place, LANG_SV, "koneoppiminen"); /* another language */
    assert_int_equal(place->count, 0);
}

static void
labels_that_two_concepts_prefer_are_told(void **state)
{
    struct place *place = *state;
    uint32_t other;

    assert_int_equal(labels_learn(&place->labels, place->words, LANG_EN, "Machine Learning", 11,
                                  true, &place->scratch, &other)
                         .code,
                     CODE_OK);
    assert_int_equal(other, 0);
    assert_int_equal(labels_learn(&place->labels, place->words, LANG_EN, "Java (island)", 12,
                                  true, &place->scratch, &other)
                         .code,
                     CODE_OK);
    assert_int_equal(other, LABELS_NONE);
}

static void
costs_little(struct place *place, const char *text)
{
    struct timespec from, to;
    int64_t spent_ms;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        find(place, (enum lang)lang, text);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    spent_ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
    assert_true(spent_ms < 500); /* a checked build is ten times slower */
}

/* Long words without a label inside are the dearest; and one that seems to have no end. */
static void
a_hostile_text_costs_little(void **state)
{
    const size_t size = 100000;
    char *text = malloc(size + 1);

    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = i % 64 == 63 ? ' ' : "energifektvsrgpojkmaskinläg"[(i * 7 + i / 64) % 22];
    text[size] = '\0';
    costs_little(*state, text);
    memset(text + 1, '+', size - 1);
    costs_little(*state, text);
    free(text);
}

int
main(void)
{
#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_place_in_a_text_has_its_bytes_and_its_reason),
        PLACE_TEST(finnish_cases_grades_and_runs_of_inflected_words_are_met),
        PLACE_TEST(both_parts_of_a_compound_are_told_with_their_own_bytes),
        PLACE_TEST(a_part_of_a_compound_begins_and_ends_with_whole_letters),
        PLACE_TEST(a_slip_of_the_pen_is_met_by_letters_with_less_certainty),
        PLACE_TEST(labels_that_two_concepts_prefer_are_told),
        PLACE_TEST(a_hostile_text_costs_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
