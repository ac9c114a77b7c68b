#include "common/pg/idempotency.h"

#include <pthread.h>
#include <string.h>

#include "common/pg/pg_test.h"

/* The role's own schema has the table: scripts/migrate makes it in each. */
#define ROLE "app_events"
#define WAITING                                                                                \
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "                \
    "AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO idempotency%'"

static const struct pg_statement *const *const rooms[] = {idempotency_statements, NULL};

static struct arena arena;
static struct pg *pg;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    test_run("postgres", NULL, "DELETE FROM events.idempotency");
    pg = test_pg(ROLE, rooms);
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

static struct idempotency
key_of(const char *key, const char *request)
{
    return (struct idempotency){.principal = "person:1",
                                .method = "registry.v1.Needs/CreateNeed",
                                .key = key,
                                .request = request,
                                .request_size = strlen(request)};
}

static void
begin(struct pg_tx *tx, const char *tenant_id)
{
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);

    assert_ok(pg_tx_begin(pg, &scope, &arena, tx));
}

/* Claims, stores and commits; the key must be new. */
static void
answer(const char *tenant_id, const struct idempotency *key, const char *text)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const uint8_t *known_answer = NULL;
    size_t size = 0;
    bool known = true;

    begin(&tx, tenant_id);
    assert_ok(idempotency_claim(&tx, key, &known, &known_answer, &size));
    assert_false(known);
    assert_ok(idempotency_store(&tx, key, text, strlen(text)));
    assert_ok(pg_tx_commit(&tx));
}

static void
assert_known(const char *tenant_id, const struct idempotency *key, const char *text)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const uint8_t *known_answer = NULL;
    size_t size = 0;
    bool known = false;

    begin(&tx, tenant_id);
    assert_ok(idempotency_claim(&tx, key, &known, &known_answer, &size));
    assert_true(known);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(known_answer, text, size);
}

static void
a_repeat_gets_the_first_answer(void **state)
{
    const struct idempotency key = key_of("k1", "request");
    const struct idempotency empty = key_of("k2", "");

    (void)state;
    answer(TENANT_A, &key, "the answer");
    assert_known(TENANT_A, &key, "the answer");
    assert_known(TENANT_A, &key, "the answer");
    answer(TENANT_A, &empty, "");
    assert_known(TENANT_A, &empty, "");
}

static void
the_same_key_with_another_request_is_refused(void **state)
{
    const struct idempotency first = key_of("k", "request");
    const struct idempotency second = key_of("k", "request!");
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const uint8_t *known_answer = NULL;
    size_t size = 0;
    bool known = false;

    (void)state;
    answer(TENANT_A, &first, "one");
    begin(&tx, TENANT_A);
    assert_code(idempotency_claim(&tx, &second, &known, &known_answer, &size), KEY_REUSED);
}

static void
tenants_principals_and_methods_have_their_own_keys(void **state)
{
    struct idempotency key = key_of("k", "request");

    (void)state;
    answer(TENANT_A, &key, "of A");
    answer(TENANT_B, &key, "of B");
    answer(NULL, &key, "of nobody");
    key.principal = "person:2";
    answer(TENANT_A, &key, "of another person");
    key.method = "registry.v1.Needs/UpdateNeed";
    answer(TENANT_A, &key, "of another method");
    key = key_of("k", "request");
    assert_known(TENANT_A, &key, "of A");
    assert_known(TENANT_B, &key, "of B");
    assert_known(NULL, &key, "of nobody");
}

static void
a_rollback_leaves_no_key(void **state)
{
    const struct idempotency key = key_of("k", "request");
    struct pg_tx tx = {0};
    const uint8_t *known_answer = NULL;
    size_t size = 0;
    bool known = true;

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(idempotency_claim(&tx, &key, &known, &known_answer, &size));
    assert_ok(idempotency_store(&tx, &key, "lost", 4));
    pg_tx_end(&tx);
    answer(TENANT_A, &key, "second try");
}

static void
an_answer_needs_a_claim(void **state)
{
    const struct idempotency key = key_of("k", "request");
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(&tx, TENANT_A);
    assert_code(idempotency_store(&tx, &key, "x", 1), INTERNAL);
}

/* A second attempt on a thread of its own. */
struct attempt {
    pthread_t thread;
    int limit_ms;
    struct status status;
    bool known;
    char text[64];
};

static void *
try_again(void *context)
{
    struct attempt *attempt = context;
    const struct idempotency key = key_of("k", "request");
    const struct pg_scope scope = scope_of(TENANT_A, attempt->limit_ms);
    struct pg *other = test_pg(ROLE, rooms);
    struct arena memory;
    struct pg_tx tx = {0};
    const uint8_t *known_answer = NULL;
    size_t size = 0;

    arena_init(&memory, ARENA_CALL_BYTES);
    attempt->status = pg_tx_begin(other, &scope, &memory, &tx);
    if (!failed(attempt->status))
        attempt->status = idempotency_claim(&tx, &key, &attempt->known, &known_answer, &size);
    if (attempt->known && size < sizeof attempt->text)
        memcpy(attempt->text, known_answer, size);
    attempt->status.detail = attempt->status.field = NULL; /* they go with the arena */
    pg_tx_end(&tx);
    pg_destroy(&other);
    arena_fini(&memory);
    return NULL;
}

static void
an_attempt_beside_the_first_waits_and_gets_its_answer(void **state)
{
    const struct idempotency key = key_of("k", "request");
    struct attempt second = {.limit_ms = TEST_MS};
    struct pg_tx tx = {0};
    const uint8_t *known_answer = NULL;
    size_t size = 0;
    bool known = true;

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(idempotency_claim(&tx, &key, &known, &known_answer, &size));
    assert_int_equal(pthread_create(&second.thread, NULL, try_again, &second), 0);
    test_await_number(WAITING, 1);
    assert_ok(idempotency_store(&tx, &key, "first", 5));
    assert_ok(pg_tx_commit(&tx));
    assert_int_equal(pthread_join(second.thread, NULL), 0);
    assert_code(second.status, OK);
    assert_true(second.known);
    assert_string_equal(second.text, "first");
}

static void
an_attempt_beside_the_first_takes_over_when_that_fails(void **state)
{
    const struct idempotency key = key_of("k", "request");
    struct attempt second = {.limit_ms = TEST_MS};
    struct pg_tx tx = {0};
    const uint8_t *known_answer = NULL;
    size_t size = 0;
    bool known = true;

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(idempotency_claim(&tx, &key, &known, &known_answer, &size));
    assert_int_equal(pthread_create(&second.thread, NULL, try_again, &second), 0);
    test_await_number(WAITING, 1);
    pg_tx_end(&tx);
    assert_int_equal(pthread_join(second.thread, NULL), 0);
    assert_code(second.status, OK);
    assert_false(second.known);
}

static void
an_attempt_beside_the_first_gives_up_at_its_limit(void **state)
{
    const struct idempotency key = key_of("k", "request");
    struct attempt second = {.limit_ms = 300};
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const uint8_t *known_answer = NULL;
    size_t size = 0;
    bool known = true;

    (void)state;
    begin(&tx, TENANT_A);
    assert_ok(idempotency_claim(&tx, &key, &known, &known_answer, &size));
    assert_int_equal(pthread_create(&second.thread, NULL, try_again, &second), 0);
    assert_int_equal(pthread_join(second.thread, NULL), 0);
    assert_code(second.status, ABORTED);
}

static void
keys_are_forgotten_after_48_hours_for_all_tenants_at_once(void **state)
{
    const struct idempotency old = key_of("old", "request");
    const struct idempotency young = key_of("young", "request");
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint64_t deleted = 0;

    (void)state;
    answer(TENANT_A, &old, "x");
    answer(TENANT_B, &old, "x");
    answer(TENANT_A, &young, "kept");
    test_run("postgres", NULL,
             "UPDATE events.idempotency SET created_at = now() - interval '49 hours' "
             "WHERE key = 'old'");
    begin(&tx, NULL);
    assert_ok(idempotency_expire(&tx, &deleted));
    assert_ok(pg_tx_commit(&tx));
    assert_int_equal(deleted, 2);
    assert_known(TENANT_A, &young, "kept");
    answer(TENANT_B, &old, "new again");
}

static void
the_answer_of_another_tenant_is_out_of_reach(void **state)
{
    const struct idempotency key = key_of("k", "request");
    static const struct pg_statement all = {"all", "SELECT count(*) FROM idempotency"};
    static const struct pg_statement *const room[] = {&all, NULL};
    const struct pg_statement *const *const own_rooms[] = {room, NULL};
    const struct pg_scope scope = scope_of(TENANT_B, TEST_MS);
    scoped(pg_destroy) struct pg *other = test_pg(ROLE, own_rooms);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    int64_t count = -1;

    (void)state;
    answer(TENANT_A, &key, "of A");
    assert_ok(pg_tx_begin(other, &scope, &arena, &tx));
    assert_ok(pg_query(&tx, &all, PG_NONE, &rows));
    assert_ok(pg_one_row(&rows, &arena, PG_OUT(pg_to_i64(&count))));
    assert_int_equal(count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_repeat_gets_the_first_answer),
        TEST(the_same_key_with_another_request_is_refused),
        TEST(tenants_principals_and_methods_have_their_own_keys),
        TEST(a_rollback_leaves_no_key),
        TEST(an_answer_needs_a_claim),
        TEST(an_attempt_beside_the_first_waits_and_gets_its_answer),
        TEST(an_attempt_beside_the_first_takes_over_when_that_fails),
        TEST(an_attempt_beside_the_first_gives_up_at_its_limit),
        TEST(keys_are_forgotten_after_48_hours_for_all_tenants_at_once),
        TEST(the_answer_of_another_tenant_is_out_of_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
