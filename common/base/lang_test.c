#include "common/base/lang.h"

#include "common/base/test.h"

static void
tags_are_known_with_and_without_a_region(void **state)
{
    (void)state;
    assert_int_equal(lang_parse("sv"), LANG_SV);
    assert_int_equal(lang_parse("sv-FI"), LANG_SV);
    assert_int_equal(lang_parse("FI"), LANG_FI);
    assert_int_equal(lang_parse("en-GB"), LANG_EN);
    assert_int_equal(lang_parse("svx"), LANG_EN);
    assert_int_equal(lang_parse("s"), LANG_EN);
    assert_int_equal(lang_parse(""), LANG_EN);
    assert_int_equal(lang_parse(NULL), LANG_EN);
    assert_string_equal(lang_tag(LANG_FI), "fi");
}

static void
the_highest_quality_wins_and_then_the_first(void **state)
{
    (void)state;
    assert_int_equal(lang_negotiate("sv"), LANG_SV);
    assert_int_equal(lang_negotiate("en;q=0.5, fi;q=0.8, sv;q=0.7"), LANG_FI);
    assert_int_equal(lang_negotiate("fi,sv"), LANG_FI);
    assert_int_equal(lang_negotiate("sv-SE,sv;q=0.9,en;q=0.8"), LANG_SV);
    assert_int_equal(lang_negotiate("de-DE, fi;q=0.001"), LANG_FI);
    assert_int_equal(lang_negotiate("  fi ;q=0.999 , sv ; q=1.0"), LANG_SV);
    assert_int_equal(lang_negotiate("en;q=0.9, SV;Q=0.91"), LANG_SV);
}

static void
a_star_speaks_of_those_not_named(void **state)
{
    (void)state;
    assert_int_equal(lang_negotiate("*"), LANG_EN);
    assert_int_equal(lang_negotiate("fi;q=0.3, *;q=0.5"), LANG_EN);
    assert_int_equal(lang_negotiate("fi;q=0.5, *;q=0.3"), LANG_FI);
    assert_int_equal(lang_negotiate("en;q=0, *"), LANG_SV);
    assert_int_equal(lang_negotiate("en;q=0, sv;q=0, *"), LANG_FI);
}

static void
nonsense_and_refusals_give_english(void **state)
{
    (void)state;
    assert_int_equal(lang_negotiate(NULL), LANG_EN);
    assert_int_equal(lang_negotiate(""), LANG_EN);
    assert_int_equal(lang_negotiate(",,;q=,"), LANG_EN);
    assert_int_equal(lang_negotiate("sv;q=0"), LANG_EN);
    assert_int_equal(lang_negotiate("sv;q=7"), LANG_EN);
    assert_int_equal(lang_negotiate("sv;x"), LANG_EN);
    assert_int_equal(lang_negotiate("de,fr;q=0.9"), LANG_EN);
}

static void
placeholders_are_filled(void **state)
{
    const struct text_value values[] = {{"months", "1"}, {"name", "{name}"}};
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    assert_string_equal(text_fill(&arena, "korta med {months} månad", values, 2),
                        "korta med 1 månad");
    assert_string_equal(text_fill(&arena, "{months}{months}{name}", values, 2), "11{name}");
    assert_string_equal(text_fill(&arena, "{unknown} {months", values, 2), "{unknown} {months");
    assert_string_equal(text_fill(&arena, "{{months}", values, 2), "{1");
    assert_string_equal(text_fill(&arena, "", values, 2), "");
    assert_string_equal(text_fill(&arena, "as it is", NULL, 0), "as it is");
    arena_fini(&arena);
    arena_init(&arena, 16);
    assert_null(text_fill(&arena, "longer than sixteen", NULL, 0));
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_known_with_and_without_a_region),
        cmocka_unit_test(the_highest_quality_wins_and_then_the_first),
        cmocka_unit_test(a_star_speaks_of_those_not_named),
        cmocka_unit_test(nonsense_and_refusals_give_english),
        cmocka_unit_test(placeholders_are_filled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
