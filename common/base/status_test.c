#include "common/base/status.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/base/test.h"
#include "common/base/utf8.h"

static struct status
third_step(int *steps, struct status second)
{
    TRY(OK);
    ++*steps;
    TRY(second);
    ++*steps;
    return OK;
}

static void
try_passes_the_first_failure_up_unchanged(void **state)
{
    const struct status fault = {CODE_ABORTED, "lost a race", NULL};
    struct status status;
    int steps = 0;

    (void)state;
    assert_false(failed(third_step(&steps, OK)));
    assert_int_equal(steps, 2);
    steps = 0;
    status = third_step(&steps, fault);
    assert_int_equal(steps, 1);
    assert_int_equal(status.code, CODE_ABORTED);
    assert_ptr_equal(status.detail, fault.detail);
}

static void
a_failure_carries_its_detail_and_field(void **state)
{
    struct arena arena;
    char path[] = "skills[3].concept_id";
    struct status status;

    (void)state;
    arena_init(&arena, 4096);
    status = FAIL(&arena, NOT_FOUND, "organisation %s", "x");
    assert_int_equal(status.code, CODE_NOT_FOUND);
    assert_string_equal(status.detail, "organisation x");
    assert_null(status.field);
    status = FAIL_FIELD(&arena, path, "must not be empty");
    memset(path, 'x', sizeof path - 1); /* the status has its own copy */
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.detail, "must not be empty");
    assert_string_equal(status.field, "skills[3].concept_id");
    arena_fini(&arena);
}

static void
without_memory_the_code_stays_and_the_text_is_fixed(void **state)
{
    struct arena arena;
    struct status status = FAIL(NULL, KEY_REUSED, "key %d", 1);

    (void)state;
    assert_int_equal(status.code, CODE_KEY_REUSED);
    assert_string_equal(status.detail, code_meaning(CODE_KEY_REUSED));
    arena_init(&arena, 8);
    status = FAIL_FIELD(&arena, "name", "must be %s", "shorter");
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.detail, code_meaning(CODE_INVALID_ARGUMENT));
    assert_null(status.field);
    arena_fini(&arena);
}

static void
a_long_detail_is_cut_between_characters(void **state)
{
    struct arena arena;
    char text[4000];
    struct status status;

    (void)state;
    for (size_t i = 0; i < sizeof text - 2; i += 2)
        memcpy(text + i, "ä", 3);
    arena_init(&arena, 1 << 16);
    for (int shift = 0; shift < 2; shift++) {
        status = FAIL(&arena, NOT_FOUND, "%*s%s", shift, "", text);
        assert_in_range(strlen(status.detail), 1023, 1024);
        assert_true(utf8_valid(status.detail, strlen(status.detail)));
    }
    arena_fini(&arena);
}

static void
need_says_that_memory_is_lacking(void **state)
{
    const int something = 1;

    (void)state;
    assert_false(failed(need(&something)));
    assert_int_equal(need(NULL).code, CODE_RESOURCE_EXHAUSTED);
    assert_non_null(need(NULL).detail);
}

static void
every_code_has_a_row_and_unknown_numbers_are_internal(void **state)
{
    (void)state;
    assert_string_equal(code_name(CODE_NOT_FOUND), "NOT_FOUND");
    assert_int_equal(code_http(CODE_VERSION_MISMATCH), 412);
    assert_int_equal(code_retry(CODE_UNAVAILABLE), RETRY_ELSEWHERE);
    assert_int_equal(code_retry(CODE_ABORTED), RETRY_AGAIN);
    assert_true(code_known(CODE_OK));
    assert_true(code_known(24));
    assert_false(code_known(1));
    assert_false(code_known(-1));
    assert_string_equal(code_name((enum code)99), "INTERNAL");
    assert_int_equal(code_http((enum code)99), 500);
    assert_int_equal(code_retry((enum code)99), RETRY_NEVER);
#define CODE(name, number, http, retry, meaning)                                               \
    assert_true(code_known(number));                                                           \
    assert_string_equal(code_name(CODE_##name), #name);                                        \
    assert_in_range(code_http(CODE_##name), 200, 599);                                         \
    assert_true(*code_meaning(CODE_##name));
#include "common/base/code.def"
#undef CODE
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(try_passes_the_first_failure_up_unchanged),
        cmocka_unit_test(a_failure_carries_its_detail_and_field),
        cmocka_unit_test(without_memory_the_code_stays_and_the_text_is_fixed),
        cmocka_unit_test(a_long_detail_is_cut_between_characters),
        cmocka_unit_test(need_says_that_memory_is_lacking),
        cmocka_unit_test(every_code_has_a_row_and_unknown_numbers_are_internal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
