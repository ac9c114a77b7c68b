#include "services/registry/indicators/rules.h"

#include "common/base/test.h"

static void
nine_of_twelve_is_75_percent_between_47_and_91(void **state)
{
    uint32_t low, high;

    (void)state;
    rules_indicator_wilson(9, 12, &low, &high);
    assert_int_equal(low, 467);
    assert_int_equal(high, 912);
}

static void
the_interval_stays_within_0_and_1(void **state)
{
    uint32_t low, high;

    (void)state;
    rules_indicator_wilson(0, 1, &low, &high);
    assert_int_equal(low, 0);
    assert_in_range(high, 790, 800);
    rules_indicator_wilson(5, 5, &low, &high);
    assert_in_range(low, 560, 570);
    assert_int_equal(high, 1000);
}

static void
the_interval_holds_the_share_and_narrows(void **state)
{
    uint32_t last = 1000;

    (void)state;
    for (uint64_t n = 4; n <= 4096; n *= 4) {
        uint32_t low, high;

        rules_indicator_wilson(3 * n / 4, n, &low, &high);
        assert_true(low <= 750 && high >= 750);
        assert_true(high - low < last);
        last = high - low;
    }
}

static void
without_an_ended_placement_it_is_not_defined(void **state)
{
    const struct indicator_counts none = {0};
    Registry__V1__Indicator indicator = REGISTRY__V1__INDICATOR__INIT;

    (void)state;
    rules_indicator(INDICATOR_OFFERED, &none, LANG_SV, &indicator);
    assert_false(indicator.defined);
    assert_int_equal(indicator.value_thousandths, 0);
    assert_string_equal(indicator.title, "Erbjudna fortsatt arbete efter KTP");
}

static void
each_code_has_its_own_numerator(void **state)
{
    const struct indicator_counts counts = {
        .ended = 12, .offered = 9, .employment = 6, .accepted = 3, .missing = 1};
    static const uint64_t expected[INDICATOR_COUNT] = {9, 6, 3};

    (void)state;
    for (size_t i = 0; i < INDICATOR_COUNT; i++) {
        Registry__V1__Indicator indicator = REGISTRY__V1__INDICATOR__INIT;

        rules_indicator((enum indicator_code)i, &counts, LANG_EN, &indicator);
        assert_int_equal(indicator.numerator, expected[i]);
        assert_int_equal(indicator.denominator, 12);
        assert_int_equal(indicator.missing, 1);
    }
}

static void
an_unknown_code_and_a_turned_period_are_refused(void **state)
{
    struct arena arena;
    enum indicator_code code;

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    assert_int_equal(rules_indicator_find(&arena, "ktp", &code).code, CODE_NOT_FOUND);
    assert_string_equal(rules_indicator_scope(&arena, "2026-01-02", "2026-01-01", "").field,
                        "period_end");
    assert_false(failed(rules_indicator_scope(&arena, "2026-01-01", "2026-01-02", "SE31")));
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nine_of_twelve_is_75_percent_between_47_and_91),
        cmocka_unit_test(the_interval_stays_within_0_and_1),
        cmocka_unit_test(the_interval_holds_the_share_and_narrows),
        cmocka_unit_test(without_an_ended_placement_it_is_not_defined),
        cmocka_unit_test(each_code_has_its_own_numerator),
        cmocka_unit_test(an_unknown_code_and_a_turned_period_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
