#include "common/base/test.h"
#include "common/pg/pg_link.h"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const char *
written(struct pg_value value)
{
    const char *text = NULL;
    size_t size = 0;

    assert_false(failed(pg_array_write(&arena, &value, &text, &size)));
    assert_int_equal(strlen(text), size);
    return text;
}

static void
texts_become_an_array_literal_with_everything_quoted(void **state)
{
    const char *const texts[] = {"a", "", NULL, "NULL", "x,y}", "say \"hi\" \\", "åäö"};

    (void)state;
    assert_string_equal(written(pg_texts(texts, COUNT_OF(texts))),
                        "{\"a\",\"\",NULL,\"NULL\",\"x,y}\",\"say \\\"hi\\\" \\\\\",\"åäö\"}");
    assert_string_equal(written(pg_texts(NULL, 0)), "{}");
}

static void
numbers_become_an_array_literal(void **state)
{
    const int64_t values[] = {0, -1, INT64_MIN, INT64_MAX};

    (void)state;
    assert_string_equal(written(pg_i64s(values, COUNT_OF(values))),
                        "{0,-1,-9223372036854775808,9223372036854775807}");
    assert_string_equal(written(pg_i64s(NULL, 0)), "{}");
}

static void
what_was_written_is_read_back(void **state)
{
    const char *const texts[] = {"a", "", NULL, "NULL", "{x,y}", "\"\\\"", " ", "\n", "日本"};
    const char **items = NULL;
    size_t count = 0;

    (void)state;
    assert_false(failed(
        pg_array_read(&arena, written(pg_texts(texts, COUNT_OF(texts))), &items, &count)));
    assert_int_equal(count, COUNT_OF(texts));
    for (size_t i = 0; i < count; i++)
        if (texts[i])
            assert_string_equal(items[i], texts[i]);
        else
            assert_null(items[i]);
}

static void
items_without_quotes_are_read(void **state)
{
    const char **items = NULL;
    size_t count = 0;

    (void)state;
    assert_false(failed(pg_array_read(&arena, "{1,NULL,abc}", &items, &count)));
    assert_int_equal(count, 3);
    assert_string_equal(items[0], "1");
    assert_null(items[1]);
    assert_string_equal(items[2], "abc");
    assert_false(failed(pg_array_read(&arena, "{}", &items, &count)));
    assert_int_equal(count, 0);
}

static void
what_is_no_plain_array_is_refused(void **state)
{
    static const char *const texts[] = {"",          "x",        "{",         "{a",
                                        "{\"a",      "{\"a\\",   "{a}b",      "{a,}",
                                        "{{a},{b}}", "{\"a\"b}", "[2:3]={a}", "{a\\"};
    const char **items = NULL;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (pg_array_read(&arena, texts[i], &items, &count).code != CODE_INTERNAL)
            fail_msg("taken: %s", texts[i]);
}

static void
too_many_parameters_are_refused(void **state)
{
    static struct pg_value values[PG_VALUES_MAX + 1];
    struct pg_encoded encoded;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++)
        values[i] = pg_i64((int64_t)i);
    assert_false(failed(pg_encode(&arena, (struct pg_args){PG_VALUES_MAX, values}, &encoded)));
    assert_string_equal(encoded.values[PG_VALUES_MAX - 1], "63");
    assert_int_equal(
        pg_encode(&arena, (struct pg_args){PG_VALUES_MAX + 1, values}, &encoded).code,
        CODE_INTERNAL);
}

static void
no_bytes_are_empty_bytea_and_not_null(void **state)
{
    struct pg_encoded encoded;

    (void)state;
    assert_false(failed(pg_encode(&arena, PG_IN(pg_bytes(NULL, 0), pg_text(NULL)), &encoded)));
    assert_non_null(encoded.values[0]);
    assert_int_equal(encoded.sizes[0], 0);
    assert_int_equal(encoded.formats[0], 1);
    assert_null(encoded.values[1]);
}

static void
states_become_codes_the_exact_before_its_class(void **state)
{
    static const struct {
        const char *sqlstate;
        enum code code;
    } table[] = {
        {"23505", CODE_ALREADY_EXISTS},
        {"23503", CODE_FAILED_PRECONDITION},
        {"23514", CODE_FAILED_PRECONDITION},
        {"40001", CODE_ABORTED},
        {"40P01", CODE_ABORTED},
        {"55P03", CODE_ABORTED},
        {"57014", CODE_DEADLINE_EXCEEDED},
        {"57P01", CODE_UNAVAILABLE},
        {"57P03", CODE_UNAVAILABLE},
        {"53100", CODE_STORAGE_FULL},
        {"53300", CODE_UNAVAILABLE},
        {"08006", CODE_UNAVAILABLE},
        {"42P01", CODE_INTERNAL},
        {"22P02", CODE_INTERNAL},
        {"", CODE_INTERNAL},
    };
    const char *detail;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_int_equal(pg_sqlstate_code(table[i].sqlstate, &detail), table[i].code);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_an_array_literal_with_everything_quoted),
        cmocka_unit_test(numbers_become_an_array_literal),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(items_without_quotes_are_read),
        cmocka_unit_test(what_is_no_plain_array_is_refused),
        cmocka_unit_test(too_many_parameters_are_refused),
        cmocka_unit_test(no_bytes_are_empty_bytea_and_not_null),
        cmocka_unit_test(states_become_codes_the_exact_before_its_class),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
