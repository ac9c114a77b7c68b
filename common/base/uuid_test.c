#include "common/base/uuid.h"

#include <string.h>

#include "common/base/test.h"

static void
a_v7_has_its_time_version_and_variant(void **state)
{
    struct test_clock times = {{0}, {INT64_C(0x017F22E279B0)}};
    const struct clock clock = clock_test(&times);
    char id[UUID_SIZE];

    (void)state;
    for (int i = 0; i < 200; i++) {
        uuid_v7(&clock, id);
        assert_true(uuid_valid(id));
        assert_memory_equal(id, "017f22e2-79b0-7", 15); /* the example of RFC 9562 */
        assert_non_null(strchr("89ab", id[19]));
    }
}

static void
ids_are_ordered_by_time_as_text(void **state)
{
    struct test_clock times = {{0}, {INT64_C(1700000000000)}};
    const struct clock clock = clock_test(&times);
    char before[UUID_SIZE] = "", id[UUID_SIZE];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uuid_v7(&clock, id);
        assert_true(strcmp(before, id) < 0);
        memcpy(before, id, sizeof id);
        test_clock_advance_ms(&times, 1);
    }
}

static void
ids_of_one_millisecond_differ(void **state)
{
    struct test_clock times = {{0}, {1}};
    const struct clock clock = clock_test(&times);
    char ids[300][UUID_SIZE];

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        uuid_v7(&clock, ids[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    }
}

static void
only_lower_case_with_hyphens_is_valid(void **state)
{
    (void)state;
    assert_true(uuid_valid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
    assert_true(uuid_valid("00000000-0000-0000-0000-000000000000"));
    assert_false(uuid_valid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
    assert_false(uuid_valid("017f22e2-79b0-7cc3-98c4-dc0c0c07398"));
    assert_false(uuid_valid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f0"));
    assert_false(uuid_valid("017f22e279b07cc398c4dc0c0c07398f"));
    assert_false(uuid_valid("{17f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
    assert_false(uuid_valid("017f22e2-79b0-7cc3-98c4_dc0c0c07398f"));
    assert_false(uuid_valid(""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_v7_has_its_time_version_and_variant),
        cmocka_unit_test(ids_are_ordered_by_time_as_text),
        cmocka_unit_test(ids_of_one_millisecond_differ),
        cmocka_unit_test(only_lower_case_with_hyphens_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
