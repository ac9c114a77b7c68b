#include "services/matching/vocabulary.h"

#include <pthread.h>

#include "services/matching/day.h"
#include "services/matching/dictionary.h"
#include "services/matching/rules.h"
#include "services/matching/test_world.h"

static int
set_up(void **state)
{
    struct world *world = malloc(sizeof *world);

    assert_non_null(world);
    world_init(world);
    world_put(world, NULL, 0);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

/* The concept that a text names alone; -1: none; -2: several. */
static int
linked(struct world *world, enum lang lang, const char *text)
{
    const struct vocabulary *vocabulary = world->snapshot->vocabulary;
    struct word_list list;
    struct link links[8];
    struct uid id;
    size_t count;

    assert_int_equal(words_split(world->words, lang, text, &world->arena, &list).code, CODE_OK);
    count = vocabulary_link(vocabulary, lang, &list, links, COUNT_OF(links));
    if (count != 1)
        return count ? -2 : -1;
    for (int i = 0; i < WORLD_CONCEPTS; i++) {
        assert_true(uid_parse(world_concept(world, (enum world_concept)i), &id));
        if (uid_equal(vocabulary_id(vocabulary, links[0].concept), &id))
            return i;
    }
    return -1;
}

static void
inflected_words_name_their_concept_in_all_three_languages(void **state)
{
    struct world *world = *state;

    assert_int_equal(linked(world, LANG_FI, "koneoppiminen"), MACHINE_LEARNING);
    assert_int_equal(linked(world, LANG_FI, "koneoppimisen menetelmät"), MACHINE_LEARNING);
    assert_int_equal(linked(world, LANG_FI, "osaamista koneoppimisesta"), MACHINE_LEARNING);
    assert_int_equal(linked(world, LANG_FI, "energiatehokkuutta"), ENERGY_EFFICIENCY);
    assert_int_equal(linked(world, LANG_FI, "Energiatehokkuuden parantaminen"),
                     ENERGY_EFFICIENCY);
    assert_int_equal(linked(world, LANG_FI, "konenäössä"), COMPUTER_VISION);
    assert_int_equal(linked(world, LANG_FI, "Laadunvalvonnan ja konepajan"), QUALITY_CONTROL);
    assert_int_equal(linked(world, LANG_FI, "laadunvalvontaa"), QUALITY_CONTROL);
    assert_int_equal(linked(world, LANG_FI, "hitsauksesta"), WELDING);
    assert_int_equal(linked(world, LANG_FI, "laadun parantaminen"), -1);
    assert_int_equal(linked(world, LANG_SV, "kunskap om maskininlärningen"), MACHINE_LEARNING);
    assert_int_equal(linked(world, LANG_SV, "Värmepumparna"), HEAT_PUMPS);
    assert_int_equal(linked(world, LANG_EN, "a heat pump"), HEAT_PUMPS);
    assert_int_equal(linked(world, LANG_EN, "Machine Learning"), MACHINE_LEARNING);
    assert_int_equal(linked(world, LANG_EN, "machine tools for learning"), -1);
}

static void
alternative_labels_compounds_and_labels_with_a_remark_are_found(void **state)
{
    struct world *world = *state;

    assert_int_equal(linked(world, LANG_SV, "vi vill ha lägre energianvändning"),
                     ENERGY_EFFICIENCY);
    assert_int_equal(linked(world, LANG_SV, "ett energieffektiviseringsprojekt"),
                     ENERGY_EFFICIENCY);
    assert_int_equal(linked(world, LANG_EN, "the bioeconomy of forests"), BIOECONOMY);
    assert_int_equal(linked(world, LANG_SV, "koneoppiminen"), -1); /* another language */
    assert_int_equal(linked(world, LANG_SV, ""), -1);
}

static void
words_are_folded_and_cut_at_what_is_no_letter(void **state)
{
    struct world *world = *state;
    struct word_list list;

    assert_int_equal(words_split(world->words, LANG_SV,
                                 "ÅTGÄRDER: C++, C# och R&D\xc2\xa0(två)!", &world->arena,
                                 &list)
                         .code,
                     CODE_OK);
    assert_int_equal(list.count, 7);
    assert_string_equal(list.items[0].text, "åtgärder");
    assert_string_equal(list.items[1].text, "c++");
    assert_string_equal(list.items[2].text, "c#");
    assert_string_equal(list.items[6].text, "två");
}

static void
a_text_of_any_length_gives_a_limited_number_of_words(void **state)
{
    struct world *world = *state;
    struct word_list list;
    char *text = malloc(200001);

    assert_non_null(text);
    memset(text, 'x', 200000);
    text[200000] = '\0';
    assert_int_equal(words_split(world->words, LANG_FI, text, &world->arena, &list).code,
                     CODE_OK);
    for (size_t i = 0; i < list.count; i++)
        assert_true(strlen(list.items[i].text) <= WORD_BYTES_MAX + 4);
    for (size_t i = 0; i < 200000; i += 2)
        text[i] = ' ';
    assert_int_equal(words_split(world->words, LANG_FI, text, &world->arena, &list).code,
                     CODE_OK);
    assert_int_equal(list.count, WORDS_PER_TEXT_MAX);
    free(text);
}

static void
a_circle_of_broader_concepts_ends(void **state)
{
    struct world *world = *state;
    const char *first = world_id(world, 0xccc, 1);
    const char *second = world_id(world, 0xccc, 2);
    struct concept_row rows[2] = {{.id = first, .broader = &second, .broader_count = 1},
                                  {.id = second, .broader = &first, .broader_count = 1}};
    struct profile_row row = world_row(world, KIND_PERSON, 1);
    int64_t weight = 1000;
    struct index_change change = {.kind = KIND_PERSON, .row = &row};
    struct vocabulary *vocabulary;
    struct index *index;

    row.concept_ids = &first;
    row.concept_weights = &weight;
    row.concept_count = row.weight_count = 1;
    assert_true(uid_parse(row.id, &change.id));
    assert_int_equal(vocabulary_create(rows, 2, world->words, &world->arena, &vocabulary).code,
                     CODE_OK);
    assert_int_equal(index_create(vocabulary, world->words, &index).code, CODE_OK);
    assert_int_equal(index_apply(index, &change, 1, &world->arena).code, CODE_OK);
    index_destroy(&index);
}

static void
a_dictionary_keeps_the_number_of_each_key(void **state)
{
    struct dictionary dictionary = {0};
    uint32_t number;

    (void)state;
    for (uint64_t key = 1; key <= 5000; key++) {
        assert_int_equal(dictionary_put(&dictionary, key * 4096, &number).code, CODE_OK);
        assert_int_equal(number, key - 1);
    }
    for (uint64_t key = 1; key <= 5000; key++)
        assert_int_equal(dictionary_find(&dictionary, key * 4096), key - 1);
    assert_int_equal(dictionary_find(&dictionary, 7), DICTIONARY_NONE);
    dictionary_fini(&dictionary);
}

#define BESIDE_KEYS 200000u

struct beside {
    struct dictionary dictionary;
    atomic_uint put; /* keys that are in */
    unsigned wrong;
};

static void *
look_keys_up(void *context)
{
    struct beside *beside = context;
    unsigned put = 0;

    while (put < BESIDE_KEYS) {
        put = atomic_load(&beside->put);
        for (unsigned i = put > 50 ? put - 50 : 0; i < put; i++)
            beside->wrong += dictionary_find(&beside->dictionary, i + 1) != i;
        beside->wrong +=
            dictionary_find(&beside->dictionary, BESIDE_KEYS + 1u) != DICTIONARY_NONE;
    }
    return NULL;
}

/* Through many growths. */
static void
keys_of_a_dictionary_are_found_while_others_are_put(void **state)
{
    struct beside beside = {.dictionary = {.read_beside = true}};
    pthread_t reader;
    size_t at = 0, count = 0;
    uint64_t key;
    uint32_t number;

    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, look_keys_up, &beside), 0);
    for (unsigned i = 0; i < BESIDE_KEYS; i++) {
        assert_int_equal(dictionary_put(&beside.dictionary, i + 1u, &number).code, CODE_OK);
        atomic_store(&beside.put, i + 1);
    }
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_int_equal(beside.wrong, 0);
    while (dictionary_next(atomic_load(&beside.dictionary.table), &at, &key, &number)) {
        count++;
        assert_int_equal(key, number + 1u);
    }
    assert_int_equal(count, BESIDE_KEYS);
    dictionary_fini(&beside.dictionary);
}

static void
shards_are_read_from_their_setting_or_refused(void **state)
{
    static const char *const bad[] = {"",     "1",    "0/1",  "2/1",  "1/0",
                                      "1/17", "1/x",  "a/2",  "1/2/", "/2",
                                      "-1/2", "1/ 2", "1//2", "+1/2", "1/99999999999999999999"};
    struct world *world = *state;
    struct shard shard = {0};

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(rules_shard(&world->arena, bad[i], &shard).code,
                         CODE_INVALID_ARGUMENT);
    assert_int_equal(rules_shard(&world->arena, "16/16", &shard).code, CODE_OK);
    assert_int_equal(shard.number, 16);
    assert_false(shard_whole(shard));
    assert_int_equal(rules_shard(&world->arena, "1/1", &shard).code, CODE_OK);
    assert_true(shard_whole(shard));
}

/* What is written in one version must be found in the next. */
static void
the_shard_of_an_id_never_changes(void **state)
{
    struct uid id;

    (void)state;
    assert_true(uid_parse("0193a000-0000-7000-8222-000000000001", &id));
    assert_true(shard_holds((struct shard){1, 1}, &id));
    for (uint32_t count = 2; count <= SHARDS_MAX; count++) {
        uint32_t holders = 0;

        for (uint32_t number = 1; number <= count; number++)
            holders += shard_holds((struct shard){number, count}, &id);
        assert_int_equal(holders, 1);
    }
    assert_true(shard_holds((struct shard){8, 16}, &id));
}

static void
dates_of_the_calendar_are_read_and_written(void **state)
{
    static const char *const good[] = {"1970-01-01", "2000-02-29", "2026-11-22",
                                       "1969-12-31", "9999-12-31", "2028-03-01"};
    static const char *const bad[] = {"",           "2026-02-29",  "2026-13-01", "2026-1-01",
                                      "2026-01-00", "2026-11-22T", "1899-12-31"};
    char text[DAY_TEXT_SIZE];
    int32_t day;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(day_parse(good[i], &day));
        day_format(day, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(day_parse(bad[i], &day));
    assert_true(day_parse("2026-11-22", &day));
    assert_int_equal(day_of((struct wall){INT64_C(1795348800000)}), day);
    assert_int_equal(day_of((struct wall){-1}), -1);
}

static void
boosts_are_read_from_their_setting_or_refused(void **state)
{
    static const char *const bad[] = {
        "sme", "sme 2026-01-01 2026-12-31 0", "sme 2026-12-31 2026-01-01 5",
        "friends 2026-01-01 2026-12-31 5", "sme 2026-01-01 2026-12-31 5 x"};
    struct world *world = *state;
    struct score_rules rules = {0};

    assert_int_equal(
        rules_boosts(&world->arena,
                     "rural 2026-01-01 2026-12-31 2000, sme 2026-06-01 2026-12-31 1000",
                     "SE312, FI1D", &rules)
            .code,
        CODE_OK);
    assert_int_equal(rules.boost_count, 2);
    assert_int_equal(rules.boosts[1].name, BOOST_SME);
    assert_int_equal(rules.boosts[1].points, 1000);
    assert_int_equal(rules.rural_count, 2);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct score_rules none = {0};

        assert_int_equal(rules_boosts(&world->arena, bad[i], "", &none).code,
                         CODE_INVALID_ARGUMENT);
    }
}

int
main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(inflected_words_name_their_concept_in_all_three_languages),
        WORLD_TEST(alternative_labels_compounds_and_labels_with_a_remark_are_found),
        WORLD_TEST(words_are_folded_and_cut_at_what_is_no_letter),
        WORLD_TEST(a_text_of_any_length_gives_a_limited_number_of_words),
        WORLD_TEST(a_circle_of_broader_concepts_ends),
        WORLD_TEST(a_dictionary_keeps_the_number_of_each_key),
        WORLD_TEST(keys_of_a_dictionary_are_found_while_others_are_put),
        WORLD_TEST(shards_are_read_from_their_setting_or_refused),
        WORLD_TEST(the_shard_of_an_id_never_changes),
        WORLD_TEST(dates_of_the_calendar_are_read_and_written),
        WORLD_TEST(boosts_are_read_from_their_setting_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
