#pragma once

/* A real Postgres for tests, as scripts/with-servers gives it.  For tests alone. */

#include <stdio.h>
#include <stdlib.h>

#include "common/base/test.h"
#include "common/pg/pg_tx.h"

#define TENANT_A "0190a000-0000-7000-8000-00000000000a"
#define TENANT_B "0190b000-0000-7000-8000-00000000000b"
#define TEST_MS 10000

#define assert_ok(step)                                                                        \
    do {                                                                                       \
        const struct status assert_status_ = (step);                                           \
        if (failed(assert_status_))                                                            \
            fail_msg("%s: %s", code_name(assert_status_.code), assert_status_.detail);         \
    } while (0)
#define assert_code(step, name) assert_string_equal(code_name((step).code), #name)

static inline struct mono
in_ms(int ms)
{
    return mono_add_ms(clock_mono(clock_system()), ms);
}

static inline struct pg_scope
scope_of(const char *tenant_id, int ms)
{
    return (struct pg_scope){.tenant_id = tenant_id, .deadline = in_ms(ms)};
}

/* In a buffer of this thread's. */
static inline const char *
test_dsn(const char *role)
{
    static _Thread_local char dsn[512];
    const char *host = getenv("SAMVERKA_TEST_PG_HOST");
    const char *port = getenv("SAMVERKA_TEST_PG_PORT");
    const char *database = getenv("SAMVERKA_TEST_PG_DATABASE");

    if (!host || !port || !database)
        fail_msg("run this by scripts/with-servers");
    (void)snprintf(dsn, sizeof dsn, "host=%s port=%s dbname=%s user=%s", host, port, database,
                   role);
    return dsn;
}

static inline struct pg *
test_pg(const char *role, const struct pg_statement *const *const *rooms)
{
    const struct pg_config config = {.dsn = test_dsn(role),
                                     .application_name = "pg_test",
                                     .rooms = rooms,
                                     .clock = clock_system()};
    struct pg *pg = NULL;

    assert_ok(pg_create(&config, NULL, &pg));
    return pg;
}

/* Runs one statement as `role`, in a connection and a transaction of its own. */
static inline void
test_run(const char *role, const char *tenant_id, const char *sql)
{
    const struct pg_statement statement = {"test_run", sql};
    const struct pg_statement *const room[] = {&statement, NULL};
    const struct pg_statement *const *const rooms[] = {room, NULL};
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);
    struct pg *pg = test_pg(role, rooms);
    struct arena arena;
    struct pg_tx tx = {0};

    arena_init(&arena, 1 << 20);
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(pg_query(&tx, &statement, PG_NONE, NULL));
    assert_ok(pg_tx_commit(&tx));
    pg_destroy(&pg);
    arena_fini(&arena);
}

/* The first column of the first row of a query by the superuser, whom no policy binds. */
static inline int64_t
test_number(const char *sql)
{
    const struct pg_statement statement = {"test_number", sql};
    const struct pg_statement *const room[] = {&statement, NULL};
    const struct pg_statement *const *const rooms[] = {room, NULL};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    struct pg *pg = test_pg("postgres", rooms);
    struct pg_rows rows = {0};
    struct arena arena;
    struct pg_tx tx = {0};
    int64_t value = 0;

    arena_init(&arena, 1 << 20);
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(pg_query(&tx, &statement, PG_NONE, &rows));
    assert_ok(pg_one_row(&rows, &arena, PG_OUT(pg_to_i64(&value))));
    pg_rows_clear(&rows);
    pg_tx_end(&tx);
    pg_destroy(&pg);
    arena_fini(&arena);
    return value;
}

/* Waits until the query's number is `wanted`. */
static inline void
test_await_number(const char *sql, int64_t wanted)
{
    const struct mono deadline = in_ms(TEST_MS);

    while (test_number(sql) != wanted)
        if (!mono_left_ms(deadline, clock_mono(clock_system())))
            fail_msg("never became %lld: %s", (long long)wanted, sql);
}
