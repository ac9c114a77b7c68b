#include "common/pg/pg_tx.h"

#include <string.h>

#include "common/pg/pg_test.h"

#define STATEMENT(variable, sql) static const struct pg_statement variable = {#variable, sql}

STATEMENT(number, "SELECT $1::bigint");
STATEMENT(add, "INSERT INTO trial.thing (tenant_id, id, name, part_of, size) "
               "VALUES ($1, $2, $3, $4, $5)");
STATEMENT(names, "SELECT name FROM trial.thing ORDER BY name");
STATEMENT(rename_all, "UPDATE trial.thing SET name = name || '!'");
STATEMENT(prepared, "SELECT count(*) FROM pg_prepared_statements");
STATEMENT(compiles, "SELECT current_setting('jit')::boolean");
STATEMENT(in_no_room, "SELECT 1");

static const struct pg_statement *const room[] = {&number,   &add,      &names, &rename_all,
                                                  &prepared, &compiles, NULL};
static const struct pg_statement *const *const rooms[] = {room, NULL};

static const struct pg_statement *const no_statements[] = {NULL};
static const struct pg_statement *const *const no_rooms[] = {no_statements, NULL};

static struct arena arena;
static struct pg *pg;

static int
set_up_group(void **state)
{
    static const char *const ddl[] = {
        "DROP SCHEMA IF EXISTS trial CASCADE",
        "CREATE SCHEMA trial",
        "GRANT USAGE ON SCHEMA trial TO app_registry",
        "CREATE TABLE trial.thing (tenant_id uuid, id integer, name text NOT NULL, "
        "part_of integer, size integer CHECK (size > 0), PRIMARY KEY (tenant_id, id), "
        "FOREIGN KEY (tenant_id, part_of) REFERENCES trial.thing)",
        "ALTER TABLE trial.thing ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE trial.thing FORCE ROW LEVEL SECURITY",
        "CREATE POLICY tenant ON trial.thing TO app_registry "
        "USING (tenant_id = current_setting('app.tenant')::uuid) "
        "WITH CHECK (tenant_id = current_setting('app.tenant')::uuid)",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON trial.thing TO app_registry",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ddl); i++)
        test_run("postgres", NULL, ddl[i]);
    pg = test_pg("app_registry", rooms);
    return 0;
}

static int
tear_down_group(void **state)
{
    (void)state;
    pg_destroy(&pg);
    test_run("postgres", NULL, "DROP SCHEMA trial CASCADE");
    return 0;
}

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    test_run("postgres", NULL, "DELETE FROM trial.thing");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void
begin(struct pg_tx *tx, const char *tenant_id)
{
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);

    assert_ok(pg_tx_begin(pg, &scope, &arena, tx));
}

static struct status
insert(struct pg_tx *tx, const char *tenant_id, int id, const char *name)
{
    return pg_execute(
        tx, &add,
        PG_IN(pg_text(tenant_id), pg_i64(id), pg_text(name), pg_text(NULL), pg_text(NULL)),
        NULL);
}

/* What app_registry sees: names, each followed by a comma. */
static const char *
seen(const char *tenant_id)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char *all = "";
    const char *name;

    begin(&tx, tenant_id);
    assert_ok(pg_query(&tx, &names, PG_NONE, &rows));
    while (pg_next_row(&rows, &arena, PG_OUT(pg_to_text(&name))))
        assert_non_null(all = arena_printf(&arena, "%s%s,", all, name));
    assert_ok(pg_rows_status(&rows));
    return all;
}

static void
a_commit_keeps_and_an_end_forgets(void **state)
{
    struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(insert(&tx, TENANT_A, 1, "kept"));
    assert_ok(pg_tx_commit(&tx));
    pg_tx_end(&tx);
    begin(&tx, TENANT_A);
    assert_ok(insert(&tx, TENANT_A, 2, "forgotten"));
    pg_tx_end(&tx);
    assert_string_equal(seen(TENANT_A), "kept,");
    assert_code(pg_tx_commit(&tx), INTERNAL);
}

static struct status
defer_insert(struct pg_tx *tx, int id, const char *name)
{
    return pg_defer(
        tx, &add,
        PG_IN(pg_text(TENANT_A), pg_i64(id), pg_text(name), pg_text(NULL), pg_text(NULL)));
}

static void
what_is_deferred_happens_with_the_next_statement_or_the_commit(void **state)
{
    struct pg_tx tx = {0};
    uint64_t touched = 0;

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(defer_insert(&tx, 1, "a"));
    assert_ok(defer_insert(&tx, 2, "b"));
    assert_ok(pg_execute(&tx, &rename_all, PG_NONE, &touched));
    assert_int_equal(touched, 2);
    assert_ok(defer_insert(&tx, 3, "c"));
    assert_ok(pg_tx_commit(&tx));
    assert_string_equal(seen(TENANT_A), "a!,b!,c,");
}

static void
a_deferred_statement_that_fails_stops_the_commit(void **state)
{
    struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(defer_insert(&tx, 1, "first"));
    assert_ok(defer_insert(&tx, 1, "the same id"));
    assert_ok(defer_insert(&tx, 2, "behind it"));
    assert_code(pg_tx_commit(&tx), ALREADY_EXISTS);
    pg_tx_end(&tx);
    assert_string_equal(seen(TENANT_A), ""); /* on the same connection */
}

static void
a_transaction_may_begin_with_its_first_statement(void **state)
{
    struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    struct pg_tx tx = {0};

    (void)state;
    scope.together = true;
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    pg_tx_end(&tx); /* before any statement */
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(insert(&tx, TENANT_A, 1, "of A"));
    assert_ok(defer_insert(&tx, 2, "deferred"));
    pg_tx_end(&tx);
    assert_string_equal(seen(TENANT_A), "");
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(insert(&tx, TENANT_A, 1, "of A"));
    assert_ok(pg_tx_commit(&tx));
    assert_string_equal(seen(TENANT_A), "of A,");
    assert_string_equal(seen(TENANT_B), "");
}

static void
tenants_do_not_see_each_other(void **state)
{
    uint64_t touched = 0;
    struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(insert(&tx, TENANT_A, 1, "of A"));
    assert_ok(pg_tx_commit(&tx));
    begin(&tx, TENANT_B);
    assert_ok(insert(&tx, TENANT_B, 1, "of B"));
    assert_ok(pg_execute(&tx, &rename_all, PG_NONE, &touched));
    assert_ok(pg_tx_commit(&tx));
    assert_int_equal(touched, 1);
    assert_string_equal(seen(TENANT_A), "of A,");
    assert_string_equal(seen(TENANT_B), "of B!,");
}

static void
a_row_for_another_tenant_is_refused(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_code(insert(&tx, TENANT_B, 1, "smuggled"), INTERNAL);
}

static void
without_a_tenant_a_tenants_table_cannot_be_read(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(insert(&tx, TENANT_A, 1, "of A"));
    assert_ok(pg_tx_commit(&tx));
    begin(&tx, NULL); /* on a connection that had one */
    assert_code(pg_query(&tx, &names, PG_NONE, NULL), INTERNAL);
}

static void
a_transaction_without_a_tenant_enters_one_and_leaves_it(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(&tx, NULL);
    assert_ok(pg_tx_enter(&tx, TENANT_A));
    assert_ok(insert(&tx, TENANT_A, 1, "of A"));
    assert_ok(pg_tx_enter(&tx, NULL));
    assert_ok(pg_tx_commit(&tx));
    assert_string_equal(seen(TENANT_A), "of A,");
    begin(&tx, NULL);
    assert_ok(pg_tx_enter(&tx, TENANT_B));
    assert_ok(pg_tx_enter(&tx, NULL));
    assert_code(pg_query(&tx, &names, PG_NONE, NULL), INTERNAL);
}

static void
a_transaction_of_a_tenant_enters_no_other(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_code(pg_tx_enter(&tx, TENANT_B), INTERNAL);
    assert_code(pg_tx_enter(&tx, NULL), INTERNAL);
}

static void
constraints_have_their_codes(void **state)
{
    const struct {
        const char *part_of, *size, *code;
    } cases[] = {{NULL, NULL, "ALREADY_EXISTS"},
                 {"99", NULL, "FAILED_PRECONDITION"},
                 {NULL, "0", "FAILED_PRECONDITION"}};
    struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(insert(&tx, TENANT_A, 1, "first"));
    assert_ok(pg_tx_commit(&tx));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct status status;

        begin(&tx, TENANT_A);
        status = pg_execute(&tx, &add,
                            PG_IN(pg_text(TENANT_A), pg_i64(i ? 2 : 1), pg_text("second"),
                                  pg_text(cases[i].part_of), pg_text(cases[i].size)),
                            NULL);
        assert_string_equal(code_name(status.code), cases[i].code);
        assert_null(strstr(status.detail, "thing")); /* no word of Postgres leaves */
        pg_tx_end(&tx);
    }
    assert_string_equal(seen(TENANT_A), "first,");
}

static void
after_a_failure_nothing_can_be_committed(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(insert(&tx, TENANT_A, 1, "first"));
    assert_code(insert(&tx, TENANT_A, 1, "again"), ALREADY_EXISTS);
    assert_code(pg_tx_commit(&tx), INTERNAL);
    assert_string_equal(seen(TENANT_A), "");
}

static void
a_reading_transaction_cannot_write(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct pg_scope scope = scope_of(TENANT_A, TEST_MS);

    (void)state;
    scope.read_only = true;
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_code(insert(&tx, TENANT_A, 1, "x"), INTERNAL);
}

static void
one_connection_has_one_transaction(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct pg_tx second = {0};
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);

    (void)state;
    begin(&tx, TENANT_A);
    assert_code(pg_tx_begin(pg, &scope, &arena, &second), INTERNAL);
    assert_ok(insert(&tx, TENANT_A, 1, "the first goes on"));
    assert_ok(pg_tx_commit(&tx));
}

static void
a_statement_needs_a_transaction_and_a_room(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    assert_code(pg_query(&tx, &number, PG_IN(pg_i64(1)), NULL), INTERNAL);
    begin(&tx, NULL);
    assert_code(pg_query(&tx, &in_no_room, PG_NONE, NULL), INTERNAL);
}

static void
a_statement_that_does_not_prepare_stops_the_start(void **state)
{
    const struct pg_statement typo = {"typo", "SELECT nothing FROM nowhere"};
    const struct pg_statement *const typo_room[] = {&number, &typo, NULL};
    const struct pg_statement *const *const typo_rooms[] = {typo_room, NULL};
    struct pg *broken = test_pg("app_registry", typo_rooms);

    (void)state;
    assert_code(pg_connect(broken, in_ms(TEST_MS), &arena), INTERNAL);
    pg_destroy(&broken);
}

static void
two_statements_of_one_name_are_refused(void **state)
{
    const struct pg_statement *const double_room[] = {&number, &number, NULL};
    const struct pg_statement *const *const double_rooms[] = {double_room, NULL};
    const struct pg_config config = {
        .dsn = test_dsn("app_registry"), .rooms = double_rooms, .clock = clock_system()};
    struct pg *none = NULL;

    (void)state;
    assert_code(pg_create(&config, &arena, &none), INTERNAL);
    assert_null(none);
}

static int64_t
prepared_names(bool pooled)
{
    scoped(pg_destroy) struct pg *other = NULL;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    const struct pg_config config = {.dsn = test_dsn("app_registry"),
                                     .rooms = rooms,
                                     .clock = clock_system(),
                                     .pooled = pooled};
    int64_t count = -1;

    assert_ok(pg_create(&config, &arena, &other));
    assert_ok(pg_tx_begin(other, &scope, &arena, &tx));
    assert_ok(insert(&tx, TENANT_A, 7, "by either way"));
    assert_ok(pg_query(&tx, &prepared, PG_NONE, &rows));
    assert_ok(pg_one_row(&rows, &arena, PG_OUT(pg_to_i64(&count))));
    return count;
}

static void
behind_a_pooler_no_statement_keeps_a_name(void **state)
{
    (void)state;
    assert_int_equal(prepared_names(true), 0);
    assert_true(prepared_names(false) >= (int64_t)COUNT_OF(room) - 1);
}

static void
a_connection_without_statements_is_fine(void **state)
{
    struct pg *bare = test_pg("app_registry", no_rooms);

    (void)state;
    assert_ok(pg_connect(bare, in_ms(TEST_MS), &arena));
    assert_ok(pg_connect(bare, in_ms(TEST_MS), &arena));
    pg_destroy(&bare);
    assert_null(bare);
    pg_destroy(&bare);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
plans_are_not_compiled(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    bool on = true;

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(pg_query(&tx, &compiles, PG_NONE, &rows));
    assert_ok(pg_one_row(&rows, &arena, PG_OUT(pg_to_bool(&on))));
    assert_false(on);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_keeps_and_an_end_forgets),
        TEST(what_is_deferred_happens_with_the_next_statement_or_the_commit),
        TEST(a_deferred_statement_that_fails_stops_the_commit),
        TEST(a_transaction_may_begin_with_its_first_statement),
        TEST(tenants_do_not_see_each_other),
        TEST(a_row_for_another_tenant_is_refused),
        TEST(without_a_tenant_a_tenants_table_cannot_be_read),
        TEST(a_transaction_without_a_tenant_enters_one_and_leaves_it),
        TEST(a_transaction_of_a_tenant_enters_no_other),
        TEST(constraints_have_their_codes),
        TEST(after_a_failure_nothing_can_be_committed),
        TEST(a_reading_transaction_cannot_write),
        TEST(one_connection_has_one_transaction),
        TEST(a_statement_needs_a_transaction_and_a_room),
        TEST(a_statement_that_does_not_prepare_stops_the_start),
        TEST(two_statements_of_one_name_are_refused),
        TEST(behind_a_pooler_no_statement_keeps_a_name),
        TEST(a_connection_without_statements_is_fine),
        TEST(plans_are_not_compiled),
    };

    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
