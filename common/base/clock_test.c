#include "common/base/clock.h"

#include "common/base/test.h"

static void
monotonic_time_never_goes_back(void **state)
{
    struct mono before = clock_mono(clock_system());

    (void)state;
    for (int i = 0; i < 10000; i++) {
        const struct mono now = clock_mono(clock_system());

        assert_true(now.ns >= before.ns);
        before = now;
    }
    assert_true(clock_wall(clock_system()).unix_ms > INT64_C(1700000000000));
}

static void
what_is_left_is_rounded_up_and_never_negative(void **state)
{
    const struct mono now = {1000};

    (void)state;
    assert_int_equal(mono_left_ms(mono_add_ms(now, 5), now), 5);
    assert_int_equal(mono_left_ms((struct mono){1001}, now), 1);
    assert_int_equal(mono_left_ms((struct mono){1000 + 1000001}, now), 2);
    assert_int_equal(mono_left_ms(now, now), 0);
    assert_int_equal(mono_left_ms((struct mono){0}, now), 0);
    assert_int_equal(mono_left_ms((struct mono){INT64_MAX}, now), INT32_MAX);
    assert_int_equal(mono_left_ms((struct mono){INT64_MIN}, (struct mono){INT64_MAX}), 0);
    assert_int_equal(mono_micros_between((struct mono){0}, (struct mono){2500}), 2);
}

static void
sums_that_overflow_stop_at_the_end_of_time(void **state)
{
    (void)state;
    assert_true(mono_add_ms((struct mono){5}, INT64_MAX).ns == INT64_MAX);
    assert_true(mono_add_ms((struct mono){INT64_MAX - 5}, 1).ns == INT64_MAX);
    assert_true(mono_add_ms((struct mono){-5}, INT64_MIN).ns == INT64_MIN);
}

static void
assert_text(int64_t unix_ms, const char *expected)
{
    char text[WALL_TEXT_SIZE];

    wall_format((struct wall){unix_ms}, text);
    assert_string_equal(text, expected);
}

static void
wall_time_is_written_as_rfc_3339(void **state)
{
    (void)state;
    assert_text(0, "1970-01-01T00:00:00.000Z");
    assert_text(INT64_C(1795327175123), "2026-11-22T05:59:35.123Z");
    assert_text(-1, "1969-12-31T23:59:59.999Z");
    assert_text(INT64_C(951782400000), "2000-02-29T00:00:00.000Z");
    assert_text(INT64_MAX, "9999-12-31T23:59:59.999Z");
    assert_text(INT64_MIN, "0001-01-01T00:00:00.000Z");
}

static void
a_test_clock_moves_only_by_hand(void **state)
{
    struct test_clock times = {{5}, {7}};
    const struct clock clock = clock_test(&times);

    (void)state;
    assert_int_equal(clock_mono(&clock).ns, 5);
    assert_int_equal(clock_wall(&clock).unix_ms, 7);
    test_clock_advance_ms(&times, 3);
    assert_int_equal(clock_mono(&clock).ns, 3000005);
    assert_int_equal(clock_wall(&clock).unix_ms, 10);
    times.wall.unix_ms = 1; /* the wall clock may jump */
    assert_int_equal(clock_wall(&clock).unix_ms, 1);
    assert_int_equal(clock_mono(&clock).ns, 3000005);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_never_goes_back),
        cmocka_unit_test(what_is_left_is_rounded_up_and_never_negative),
        cmocka_unit_test(sums_that_overflow_stop_at_the_end_of_time),
        cmocka_unit_test(wall_time_is_written_as_rfc_3339),
        cmocka_unit_test(a_test_clock_moves_only_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
