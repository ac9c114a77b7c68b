#include "services/registry/programmes/show.h"

#include <string.h>

#include "common/base/test.h"
#include "services/registry/programmes/labels.h"
#include "services/registry/programmes/template.h"

#define NBSP "\xc2\xa0"

static struct arena arena;

static void
shows(enum lang lang, enum rule_value_kind kind, const char *value, const char *wanted)
{
    const struct show show = {NULL, lang, &arena};
    const char *shown = show_value(&show, kind, value, false);

    assert_non_null(shown);
    assert_string_equal(shown, wanted);
}

static void
numbers_have_the_marks_of_the_language(void **unused)
{
    (void)unused;
    shows(LANG_SV, RULE_VALUE_RATIO, "967", "0,967");
    shows(LANG_EN, RULE_VALUE_RATIO, "967", "0.967");
    shows(LANG_EN, RULE_VALUE_RATIO, "1000", "1.00");
    shows(LANG_EN, RULE_VALUE_RATIO, "500", "0.50");
    shows(LANG_FI, RULE_VALUE_PERCENT, "750", "75" NBSP "%");
    shows(LANG_SV, RULE_VALUE_PERCENT, "267", "26,7" NBSP "%");
    shows(LANG_EN, RULE_VALUE_PERCENT, "267", "26.7%");
    shows(LANG_EN, RULE_VALUE_NUMBER, "12", "12");
}

static void
money_is_grouped_and_named(void **unused)
{
    (void)unused;
    shows(LANG_SV, RULE_VALUE_MONEY, "10000000 SEK", "100" NBSP "000" NBSP "SEK");
    shows(LANG_EN, RULE_VALUE_MONEY, "10000000 SEK", "SEK" NBSP "100,000");
    shows(LANG_FI, RULE_VALUE_MONEY, "123456789 EUR", "1" NBSP "234" NBSP "567,89" NBSP "EUR");
    shows(LANG_EN, RULE_VALUE_MONEY, "99 EUR", "EUR" NBSP "0.99");
    shows(LANG_EN, RULE_VALUE_MONEY, "100500 EUR", "EUR" NBSP "1,005");
    shows(LANG_EN, RULE_VALUE_MONEY, "nonsense", "nonsense");
}

static void
spans_have_the_plural_of_the_language(void **unused)
{
    (void)unused;
    shows(LANG_SV, RULE_VALUE_SPAN, "1m", "1 månad");
    shows(LANG_SV, RULE_VALUE_SPAN, "2m1d", "2 månader och 1 dag");
    shows(LANG_FI, RULE_VALUE_SPAN, "1m", "1 kuukausi");
    shows(LANG_FI, RULE_VALUE_SPAN, "24m2d", "24 kuukautta ja 2 päivää");
    shows(LANG_EN, RULE_VALUE_SPAN, "1m1d", "1 month and 1 day");
    shows(LANG_EN, RULE_VALUE_SPAN, "0d", "0 days");
    shows(LANG_EN, RULE_VALUE_SPAN, "soon", "soon");
}

static void
lists_are_joined_as_the_language_does(void **unused)
{
    const struct show show = {NULL, LANG_FI, &arena};

    (void)unused;
    shows(LANG_SV, RULE_VALUE_CODES, "company", "företag");
    shows(LANG_SV, RULE_VALUE_CODES, "company,region", "företag och region");
    shows(LANG_EN, RULE_VALUE_CODES, "company,region,unheard_of",
          "company, region and unheard_of");
    assert_string_equal(show_value(&show, RULE_VALUE_CODES, "24,36", true), "24 tai 36");
    shows(LANG_EN, RULE_VALUE_CODES, "host.headcount", "host company: headcount");
    shows(LANG_EN, RULE_VALUE_PATH, "A > C > B", "A – C – B");
    shows(LANG_SV, RULE_VALUE_CODES, "", "–");
}

static void
flags_are_words(void **unused)
{
    (void)unused;
    shows(LANG_FI, RULE_VALUE_FLAG, "yes", "kyllä");
    shows(LANG_EN, RULE_VALUE_FLAG, "no", "no");
}

static void
a_template_chooses_the_form_by_the_number(void **unused)
{
    const struct show show = {NULL, LANG_EN, &arena};
    struct rule_value values[] = {{"add", RULE_VALUE_NUMBER, "1"},
                                  {"add#1", RULE_VALUE_NUMBER, "2"}};
    const char *pattern = "Add {add} {add:company|companies}.";
    bool complete;

    (void)unused;
    assert_string_equal(show_template(&show, pattern, values, 2, 0, &complete),
                        "Add 1 company.");
    assert_true(complete);
    assert_string_equal(show_template(&show, pattern, values, 2, 1, &complete),
                        "Add 2 companies.");
    assert_true(complete);
    assert_string_equal(show_template(&show, pattern, values, 2, 2, &complete), "Add – –.");
    assert_false(complete);
}

static void
a_broken_template_is_told_apart(void **unused)
{
    static const char *const broken[] = {"{",         "}",      "a {b",      "a }b",   "{}",
                                         "{A}",       "{a:}",   "{a:and}",   "{a:b|}", "{a:|b}",
                                         "{a:b|c|d}", "{a{b}}", "{a:b|{c}}", "{a b}"};

    (void)unused;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        const char *cursor = broken[i];
        struct template_piece piece;
        enum template_step step;
        while ((step = template_next(&cursor, &piece)) == TEMPLATE_PIECE)
            continue;
        assert_int_equal(step, TEMPLATE_BROKEN);
    }
}

static void
a_full_arena_gives_null(void **unused)
{
    struct arena small;
    const struct show show = {NULL, LANG_SV, &small};
    const struct rule_value value = {"over", RULE_VALUE_SPAN, "24m1d"};
    bool complete;

    (void)unused;
    for (size_t limit = 0; limit < 64; limit += 16) {
        arena_init(&small, limit);
        assert_null(show_template(&show, "Förkorta med {over}, helst genast, till {over}.",
                                  &value, 1, 0, &complete));
        arena_fini(&small);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_marks_of_the_language),
        cmocka_unit_test(money_is_grouped_and_named),
        cmocka_unit_test(spans_have_the_plural_of_the_language),
        cmocka_unit_test(lists_are_joined_as_the_language_does),
        cmocka_unit_test(flags_are_words),
        cmocka_unit_test(a_template_chooses_the_form_by_the_number),
        cmocka_unit_test(a_broken_template_is_told_apart),
        cmocka_unit_test(a_full_arena_gives_null),
    };
    int result;

    arena_init(&arena, ARENA_CALL_BYTES);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return result;
}
