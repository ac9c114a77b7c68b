#include "services/matching/concepts/label_words.h"

#include "common/base/test.h"
#include "services/matching/concepts/function_words.h"

struct place {
    struct arena arena, scratch;
    struct words *stemmers;
    struct label_words words;
};

static int
set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    arena_init(&place->arena, (size_t)16 << 20);
    arena_init(&place->scratch, (size_t)16 << 20);
    assert_int_equal(words_create(&place->arena, &place->stemmers).code, CODE_OK);
    label_words_init(&place->words, &place->arena);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;

    label_words_fini(&place->words);
    words_destroy(&place->stemmers);
    arena_fini(&place->scratch);
    arena_fini(&place->arena);
    free(place);
    return 0;
}

static struct label_word_list
added(struct place *place, enum lang lang, const char *label)
{
    struct label_word_list list;

    assert_int_equal(
        label_words_add(&place->words, place->stemmers, lang, label, &place->scratch, &list)
            .code,
        CODE_OK);
    return list;
}

static void
inflected_words_are_one_and_keep_the_first_form(void **state)
{
    struct place *place = *state;
    const struct label_word_list pump = added(place, LANG_EN, "Heat pumps");
    const struct label_word_list heats = added(place, LANG_EN, "pump heating");

    assert_int_equal(pump.count, 2);
    assert_int_equal(heats.count, 2);
    assert_memory_equal(pump.numbers, heats.numbers, 2 * sizeof *pump.numbers);
    assert_string_equal(place->words.texts[pump.numbers[0]], "heat");
    assert_string_equal(place->words.texts[pump.numbers[1]], "pumps");
}

static void
the_same_letters_in_two_languages_are_two_words(void **state)
{
    struct place *place = *state;
    const struct label_word_list english = added(place, LANG_EN, "data");
    const struct label_word_list swedish = added(place, LANG_SV, "data");

    assert_int_equal(english.count, 1);
    assert_int_equal(swedish.count, 1);
    assert_int_not_equal(english.numbers[0], swedish.numbers[0]);
}

static void
function_words_say_nothing(void **state)
{
    static const struct {
        enum lang lang;
        const char *word;
    } said[] = {{LANG_SV, "alla"},    {LANG_SV, "och"},  {LANG_SV, "så"},  {LANG_SV, "över"},
                {LANG_FI, "ainakin"}, {LANG_FI, "ja"},   {LANG_FI, "yhä"}, {LANG_EN, "a"},
                {LANG_EN, "of"},      {LANG_EN, "yours"}};
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(said); i++)
        assert_true(function_word(said[i].lang, said[i].word));
    assert_false(function_word(LANG_EN, "och"));
    assert_false(function_word(LANG_SV, "and")); /* a duck */
    assert_false(function_word(LANG_FI, "hitsaus"));
    assert_int_equal(added(place, LANG_EN, "use of the energy").count, 2);
}

static void
long_and_empty_labels_have_bounded_lists(void **state)
{
    struct place *place = *state;
    const struct label_word_list none = added(place, LANG_EN, " - ");
    const struct label_word_list many =
        added(place, LANG_EN, "one two three four two five six seven eight nine ten");

    assert_int_equal(none.count, 0);
    assert_int_equal(many.count, LABEL_WORDS_MAX);
    for (uint32_t i = 1; i < many.count; i++)
        assert_true(many.numbers[i - 1] < many.numbers[i]);
}

int
main(void)
{
#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PLACE_TEST(inflected_words_are_one_and_keep_the_first_form),
        PLACE_TEST(the_same_letters_in_two_languages_are_two_words),
        PLACE_TEST(function_words_say_nothing),
        PLACE_TEST(long_and_empty_labels_have_bounded_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
