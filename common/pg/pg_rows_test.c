#include <string.h>

#include "common/pg/pg_test.h"

#define STATEMENT(variable, sql) static const struct pg_statement variable = {#variable, sql}

STATEMENT(echo,
          "SELECT $1::text, $2::bigint, $3::float8, $4::boolean, $5::text[], $6::bigint[], "
          "$7::uuid, $8::integer, $9::timestamptz IS NULL");
STATEMENT(echo_binary,
          "SELECT $1::bytea, $2::text, $3::bigint, $4::boolean, $5::uuid, $6::integer, "
          "$7::smallint, $8::bytea, $9::text");
STATEMENT(echo_bytes_in_text, "SELECT $1::bytea, $2::float8, $3::text[]");
STATEMENT(number, "SELECT $1::bigint");
STATEMENT(series, "SELECT generate_series(1, $1::integer)");

static const struct pg_statement *const room[] = {&echo,   &echo_binary, &echo_bytes_in_text,
                                                  &number, &series,      NULL};
static const struct pg_statement *const *const rooms[] = {room, NULL};

static struct arena arena;
static struct pg *pg;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    pg = test_pg("app_registry", rooms);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    pg_destroy(&pg);
    arena_fini(&arena);
    return 0;
}

static void
begin(struct pg_tx *tx, const char *tenant_id)
{
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);

    assert_ok(pg_tx_begin(pg, &scope, &arena, tx));
}

static void
values_of_every_kind_come_back_as_they_went(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char *const texts[] = {"a", NULL, "", "NULL", "ett \"två\" {tre}\\", "日本, 🦊"};
    const int64_t numbers[] = {INT64_MIN, 0, INT64_MAX};
    const char *text, *uuid, **items;
    int64_t big, *bigs;
    double real;
    bool yes, null_time;
    int32_t small;
    size_t item_count, big_count;

    (void)state;
    begin(&tx, NULL);
    assert_ok(pg_query(&tx, &echo,
                       PG_IN(pg_text("åäö 'quoted' \\ 🦊"), pg_i64(INT64_MIN), pg_f64(0.1),
                             pg_bool(true), pg_texts(texts, COUNT_OF(texts)),
                             pg_i64s(numbers, COUNT_OF(numbers)), pg_text(TENANT_A), pg_i64(-7),
                             pg_text_or_null("")),
                       &rows));
    assert_ok(pg_one_row(&rows, &arena,
                         PG_OUT(pg_to_text(&text), pg_to_i64(&big), pg_to_f64(&real),
                                pg_to_bool(&yes), pg_to_texts(&items, &item_count),
                                pg_to_i64s(&bigs, &big_count), pg_to_text(&uuid),
                                pg_to_i32(&small), pg_to_bool(&null_time))));
    assert_string_equal(text, "åäö 'quoted' \\ 🦊");
    assert_true(big == INT64_MIN && real == 0.1 && yes && null_time && small == -7);
    assert_string_equal(uuid, TENANT_A);
    assert_int_equal(item_count, COUNT_OF(texts));
    for (size_t i = 0; i < item_count; i++)
        if (texts[i])
            assert_string_equal(items[i], texts[i]);
        else
            assert_null(items[i]);
    assert_int_equal(big_count, 3);
    assert_memory_equal(bigs, numbers, sizeof numbers);
}

static void
null_gives_the_empty_value(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const struct pg_value none = pg_text(NULL);
    const char *text, *uuid, **items;
    int64_t big = 1, *bigs;
    double real = 1;
    bool yes = true;
    uint32_t small = 1;
    size_t item_count = 1, big_count = 1;

    (void)state;
    begin(&tx, NULL);
    assert_ok(pg_query(&tx, &echo, PG_IN(none, none, none, none, none, none, none, none, none),
                       &rows));
    assert_ok(pg_one_row(&rows, &arena,
                         PG_OUT(pg_to_text(&text), pg_to_i64(&big), pg_to_f64(&real),
                                pg_to_bool(&yes), pg_to_texts(&items, &item_count),
                                pg_to_i64s(&bigs, &big_count), pg_to_text(&uuid),
                                pg_to_u32(&small), {.kind = PG_TO_NOTHING})));
    assert_string_equal(text, "");
    assert_string_equal(uuid, "");
    assert_true(big == 0 && real == 0 && !yes && small == 0);
    assert_true(item_count == 0 && big_count == 0);
}

static void
bytes_come_back_beside_numbers_and_texts(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint8_t sent[256];
    const uint8_t *got, *none;
    const char *text, *uuid, *null_text;
    size_t size, none_size = 1;
    int64_t big;
    int32_t medium, small;
    bool yes;

    (void)state;
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(255 - i);
    begin(&tx, NULL);
    assert_ok(pg_query(&tx, &echo_binary,
                       PG_IN(pg_bytes(sent, sizeof sent), pg_text("å"), pg_i64(INT64_MIN),
                             pg_bool(true), pg_text(TENANT_B), pg_i64(INT32_MIN), pg_i64(-2),
                             pg_bytes(NULL, 0), pg_text(NULL)),
                       &rows));
    assert_ok(pg_one_row(&rows, &arena,
                         PG_OUT(pg_to_bytes(&got, &size), pg_to_text(&text), pg_to_i64(&big),
                                pg_to_bool(&yes), pg_to_text(&uuid), pg_to_i32(&medium),
                                pg_to_i32(&small), pg_to_bytes(&none, &none_size),
                                pg_to_text(&null_text))));
    assert_int_equal(size, sizeof sent);
    assert_memory_equal(got, sent, sizeof sent);
    assert_string_equal(text, "å");
    assert_string_equal(uuid, TENANT_B);
    assert_true(big == INT64_MIN && yes && medium == INT32_MIN && small == -2);
    assert_int_equal(none_size, 0);
    assert_string_equal(null_text, "");
}

static void
bytes_beside_other_types_come_as_text_and_are_the_same(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char *const texts[] = {"x"};
    const uint8_t sent[] = {0, 1, 0x7f, 0x80, 0xff};
    const uint8_t *got;
    const char **items;
    size_t size, count;
    double real;

    (void)state;
    begin(&tx, NULL);
    assert_ok(pg_query(&tx, &echo_bytes_in_text,
                       PG_IN(pg_bytes(sent, sizeof sent), pg_f64(-1e300), pg_texts(texts, 1)),
                       &rows));
    assert_ok(pg_one_row(
        &rows, &arena,
        PG_OUT(pg_to_bytes(&got, &size), pg_to_f64(&real), pg_to_texts(&items, &count))));
    assert_int_equal(size, sizeof sent);
    assert_memory_equal(got, sent, sizeof sent);
    assert_true(real == -1e300);
    assert_string_equal(items[0], "x");
}

static void
a_megabyte_goes_and_comes(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const size_t sent_size = (size_t)3 << 20;
    uint8_t *sent = arena_alloc(&arena, sent_size);
    const struct pg_value none = pg_text(NULL);
    const uint8_t *got;
    size_t size;

    (void)state;
    assert_non_null(sent);
    for (size_t i = 0; i < sent_size; i++)
        sent[i] = (uint8_t)(i * 7);
    begin(&tx, NULL);
    assert_ok(pg_query(
        &tx, &echo_binary,
        PG_IN(pg_bytes(sent, sent_size), none, none, none, none, none, none, none, none),
        &rows));
    assert_ok(pg_one_row(
        &rows, &arena,
        PG_OUT(pg_to_bytes(&got, &size), {.kind = PG_TO_NOTHING}, {.kind = PG_TO_NOTHING},
               {.kind = PG_TO_NOTHING}, {.kind = PG_TO_NOTHING}, {.kind = PG_TO_NOTHING},
               {.kind = PG_TO_NOTHING}, {.kind = PG_TO_NOTHING}, {.kind = PG_TO_NOTHING})));
    assert_int_equal(size, sent_size);
    assert_memory_equal(got, sent, sent_size);
}

static void
a_number_beyond_its_slot_is_a_fault_of_ours(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    static const int64_t values[] = {(int64_t)INT32_MAX + 1, -1, INT64_MIN, -1};
    int32_t i32 = 5;
    uint32_t u32 = 5;
    uint64_t u64 = 5;
    bool boolean = false;
    const struct pg_slot slots[] = {pg_to_i32(&i32), pg_to_u32(&u32), pg_to_u64(&u64),
                                    pg_to_bool(&boolean)};

    (void)state;
    begin(&tx, NULL);
    for (size_t i = 0; i < COUNT_OF(slots); i++) {
        scoped(pg_rows_clear) struct pg_rows rows = {0};

        assert_ok(pg_query(&tx, &number, PG_IN(pg_i64(values[i])), &rows));
        assert_code(pg_one_row(&rows, &arena, (struct pg_slots){1, &slots[i]}), INTERNAL);
    }
    assert_true(i32 == 5 && u32 == 5 && u64 == 5);
}

static void
rows_end_and_say_so(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    int64_t value, sum = 0;

    (void)state;
    begin(&tx, NULL);
    assert_ok(pg_query(&tx, &series, PG_IN(pg_i64(100)), &rows));
    assert_int_equal(rows.count, 100);
    while (pg_next_row(&rows, &arena, PG_OUT(pg_to_i64(&value))))
        sum += value;
    assert_int_equal(sum, 5050);
    assert_ok(pg_rows_status(&rows));
    assert_false(pg_next_row(&rows, &arena, PG_OUT(pg_to_i64(&value))));
}

static void
one_row_is_neither_none_nor_two(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct pg_rows rows = {0};
    int64_t value;

    (void)state;
    begin(&tx, NULL);
    assert_ok(pg_query(&tx, &series, PG_IN(pg_i64(0)), &rows));
    assert_code(pg_one_row(&rows, &arena, PG_OUT(pg_to_i64(&value))), NOT_FOUND);
    pg_rows_clear(&rows);
    assert_ok(pg_query(&tx, &series, PG_IN(pg_i64(2)), &rows));
    assert_code(pg_one_row(&rows, &arena, PG_OUT(pg_to_i64(&value))), INTERNAL);
    pg_rows_clear(&rows);
    assert_ok(pg_query(&tx, &series, PG_IN(pg_i64(1)), &rows));
    assert_code(pg_one_row(&rows, &arena, PG_OUT(pg_to_i64(&value), pg_to_i64(&value))),
                INTERNAL);
    pg_rows_clear(&rows);
}

static void
rows_do_not_outlive_their_transaction(void **state)
{
    struct pg_tx tx = {0};
    struct pg_rows rows = {0};
    int64_t value;

    (void)state;
    begin(&tx, NULL);
    assert_ok(pg_query(&tx, &series, PG_IN(pg_i64(2)), &rows));
    assert_ok(pg_tx_commit(&tx));
    assert_false(pg_next_row(&rows, &arena, PG_OUT(pg_to_i64(&value))));
    assert_code(pg_rows_status(&rows), INTERNAL);
    pg_rows_clear(&rows);
    pg_tx_end(&tx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_of_every_kind_come_back_as_they_went),
        TEST(null_gives_the_empty_value),
        TEST(bytes_come_back_beside_numbers_and_texts),
        TEST(bytes_beside_other_types_come_as_text_and_are_the_same),
        TEST(a_megabyte_goes_and_comes),
        TEST(a_number_beyond_its_slot_is_a_fault_of_ours),
        TEST(rows_end_and_say_so),
        TEST(one_row_is_neither_none_nor_two),
        TEST(rows_do_not_outlive_their_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
