#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/pg/pg_test.h"

#define STATEMENT(variable, sql) static const struct pg_statement variable = {#variable, sql}

STATEMENT(my_pid, "SELECT pg_backend_pid()");
STATEMENT(wait_for, "SELECT pg_sleep($1)");
STATEMENT(touch, "UPDATE fault.thing SET touched = touched + 1");
STATEMENT(die_at_commit, "INSERT INTO fault.deadly VALUES (1)");
STATEMENT(end_backend, "SELECT pg_terminate_backend($1::integer, 5000)");

static const struct pg_statement *const room[] = {&my_pid,        &wait_for,    &touch,
                                                  &die_at_commit, &end_backend, NULL};
static const struct pg_statement *const *const rooms[] = {room, NULL};

static struct arena arena;
static struct pg *pg;

static int
set_up_group(void **state)
{
    static const char *const ddl[] = {
        "DROP SCHEMA IF EXISTS fault CASCADE",
        "CREATE SCHEMA fault",
        "CREATE TABLE fault.thing (touched integer)",
        "INSERT INTO fault.thing VALUES (0)",
        "CREATE TABLE fault.deadly (id integer)",
        "CREATE FUNCTION fault.die() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
        "CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON fault.deadly "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fault.die()",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ddl); i++)
        test_run("postgres", NULL, ddl[i]);
    return 0;
}

static int
tear_down_group(void **state)
{
    (void)state;
    test_run("postgres", NULL, "DROP SCHEMA fault CASCADE");
    return 0;
}

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    pg = test_pg("postgres", rooms);
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
begin(struct pg *on, struct pg_tx *tx, int ms)
{
    const struct pg_scope scope = scope_of(NULL, ms);

    assert_ok(pg_tx_begin(on, &scope, &arena, tx));
}

static pid_t
backend(struct pg_tx *tx)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    int64_t pid = 0;

    assert_ok(pg_query(tx, &my_pid, PG_NONE, &rows));
    assert_ok(pg_one_row(&rows, &arena, PG_OUT(pg_to_i64(&pid))));
    return (pid_t)pid;
}

/* From another connection. */
static void
terminate(pid_t pid)
{
    scoped(pg_destroy) struct pg *other = test_pg("postgres", rooms);
    scoped(pg_tx_end) struct pg_tx tx = {0};

    begin(other, &tx, TEST_MS);
    assert_ok(pg_query(&tx, &end_backend, PG_IN(pg_i64(pid)), NULL));
}

static int64_t
millis_since(struct mono start)
{
    return mono_micros_between(start, clock_mono(clock_system())) / 1000;
}

static void
the_server_cancels_at_the_deadline_and_the_connection_lives_on(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct mono start;
    pid_t before;

    (void)state;
    begin(pg, &tx, TEST_MS);
    before = backend(&tx);
    pg_tx_end(&tx);

    start = clock_mono(clock_system());
    begin(pg, &tx, 300);
    assert_code(pg_query(&tx, &wait_for, PG_IN(pg_f64(30)), NULL), DEADLINE_EXCEEDED);
    assert_in_range(millis_since(start), 200, 2000);
    pg_tx_end(&tx);

    begin(pg, &tx, TEST_MS);
    assert_int_equal(backend(&tx), before);
}

static void
a_late_statement_gets_only_what_is_left(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct mono start;
    pid_t before;

    (void)state;
    start = clock_mono(clock_system());
    begin(pg, &tx, 1500);
    before = backend(&tx);
    assert_ok(pg_query(&tx, &wait_for, PG_IN(pg_f64(0.4)), NULL));
    assert_code(pg_query(&tx, &wait_for, PG_IN(pg_f64(30)), NULL), DEADLINE_EXCEEDED);
    assert_in_range(millis_since(start), 1200, 4000);
    pg_tx_end(&tx);
    begin(pg, &tx, TEST_MS);
    assert_int_equal(backend(&tx), before); /* cancelled by the server, not cut by us */
}

static void
no_time_left_sends_nothing(void **state)
{
    struct pg_tx tx = {0};
    const struct pg_scope scope = scope_of(NULL, 0);

    (void)state;
    assert_ok(pg_connect(pg, in_ms(TEST_MS), &arena));
    assert_code(pg_tx_begin(pg, &scope, &arena, &tx), DEADLINE_EXCEEDED);
    begin(pg, &tx, TEST_MS);
    pg_tx_end(&tx);
}

static void
a_lock_that_is_held_too_long_aborts(void **state)
{
    scoped(pg_destroy) struct pg *other = test_pg("postgres", rooms);
    scoped(pg_tx_end) struct pg_tx holder = {0};
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)state;
    begin(other, &holder, TEST_MS);
    assert_ok(pg_query(&holder, &touch, PG_NONE, NULL));
    begin(pg, &tx, 400);
    assert_code(pg_query(&tx, &touch, PG_NONE, NULL), ABORTED);
}

static void
a_backend_that_ends_in_a_transaction_makes_it_unavailable_and_the_next_one_works(void **state)
{
    struct pg_tx tx = {0};
    pid_t before;

    (void)state;
    begin(pg, &tx, TEST_MS);
    before = backend(&tx);
    terminate(before);
    assert_code(pg_query(&tx, &touch, PG_NONE, NULL), UNAVAILABLE);
    assert_code(pg_query(&tx, &touch, PG_NONE, NULL), UNAVAILABLE);
    assert_code(pg_tx_commit(&tx), UNAVAILABLE); /* it was never sent */
    pg_tx_end(&tx);
    begin(pg, &tx, TEST_MS);
    assert_int_not_equal(backend(&tx), before);
    pg_tx_end(&tx);
}

static void
a_backend_that_ended_while_nobody_looked_is_not_noticed(void **state)
{
    struct pg_tx tx = {0};
    pid_t before;

    (void)state;
    begin(pg, &tx, TEST_MS);
    before = backend(&tx);
    pg_tx_end(&tx);
    terminate(before);
    begin(pg, &tx, TEST_MS);
    assert_int_not_equal(backend(&tx), before);
    pg_tx_end(&tx);
}

static void
a_commit_without_an_answer_may_have_happened(void **state)
{
    struct pg_tx tx = {0};
    struct status status;

    (void)state;
    begin(pg, &tx, TEST_MS);
    assert_ok(pg_query(&tx, &die_at_commit, PG_NONE, NULL));
    status = pg_tx_commit(&tx);
    assert_code(status, DEADLINE_EXCEEDED);
    assert_non_null(strstr(status.detail, "may have happened"));
    pg_tx_end(&tx);
    begin(pg, &tx, TEST_MS);
    pg_tx_end(&tx);
}

static void
a_frozen_backend_costs_the_deadline_and_its_connection(void **state)
{
    struct pg_tx tx = {0};
    struct mono start;
    pid_t frozen;

    (void)state;
    begin(pg, &tx, 300);
    frozen = backend(&tx);
    assert_int_equal(kill(frozen, SIGSTOP), 0);
    start = clock_mono(clock_system());
    assert_code(pg_query(&tx, &touch, PG_NONE, NULL), DEADLINE_EXCEEDED);
    assert_in_range(millis_since(start), 100, 1000);
    pg_tx_end(&tx);
    begin(pg, &tx, TEST_MS);
    assert_int_not_equal(backend(&tx), frozen);
    pg_tx_end(&tx);
    assert_int_equal(kill(frozen, SIGCONT), 0);
    test_await_number("SELECT touched FROM fault.thing", 0); /* it was rolled back */
}

static struct pg *
pg_at_port(int port)
{
    char dsn[128];
    const struct pg_config config = {.dsn = dsn, .rooms = rooms, .clock = clock_system()};
    struct pg *made = NULL;

    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d dbname=x user=x", port);
    assert_ok(pg_create(&config, &arena, &made));
    return made;
}

/* A loopback socket; the kernel takes connections for it, nobody ever answers them. */
static int
silent_socket(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void
a_server_that_never_answers_costs_the_deadline(void **state)
{
    int port = 0;
    const int fd = silent_socket(&port);
    scoped(pg_destroy) struct pg *silent = pg_at_port(port);
    const struct mono start = clock_mono(clock_system());

    (void)state;
    assert_code(pg_connect(silent, in_ms(200), &arena), UNAVAILABLE);
    assert_in_range(millis_since(start), 150, 1000);
    (void)close(fd);
}

static void
nobody_there_is_told_at_once_and_asked_again_later(void **state)
{
    int port = 0;
    const int fd = silent_socket(&port);
    scoped(pg_destroy) struct pg *nobody = pg_at_port(port);
    struct status status = OK;
    int tries = 0;

    (void)state;
    (void)close(fd);
    assert_code(pg_connect(nobody, in_ms(TEST_MS), &arena), UNAVAILABLE);
    do { /* until the wait is over and it tries again */
        status = pg_connect(nobody, in_ms(TEST_MS), &arena);
        assert_code(status, UNAVAILABLE);
        tries++;
    } while (strcmp(status.detail, "the database is away") == 0);
    assert_true(tries > 1);
}

static void
a_wrong_password_is_unavailable_and_not_logged(void **state)
{
    char dsn[256];
    const struct pg_config config = {
        .dsn = dsn, .password = "canary-4711", .rooms = rooms, .clock = clock_system()};
    struct pg *refused = NULL;
    FILE *log = tmpfile();
    char text[8192] = "";

    (void)state;
    assert_non_null(log);
    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%s dbname=postgres user=postgres",
                   getenv("SAMVERKA_TEST_PG_PORT"));
    log_set_fd(fileno(log));
    assert_ok(pg_create(&config, &arena, &refused));
    assert_code(pg_connect(refused, in_ms(TEST_MS), &arena), UNAVAILABLE);
    pg_destroy(&refused);
    log_set_fd(1);
    assert_true(pread(fileno(log), text, sizeof text - 1, 0) > 0);
    assert_non_null(strstr(text, "password authentication failed"));
    assert_null(strstr(text, "canary"));
    (void)fclose(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_server_cancels_at_the_deadline_and_the_connection_lives_on),
        TEST(a_late_statement_gets_only_what_is_left),
        TEST(no_time_left_sends_nothing),
        TEST(a_lock_that_is_held_too_long_aborts),
        TEST(a_backend_that_ends_in_a_transaction_makes_it_unavailable_and_the_next_one_works),
        TEST(a_backend_that_ended_while_nobody_looked_is_not_noticed),
        TEST(a_commit_without_an_answer_may_have_happened),
        TEST(a_frozen_backend_costs_the_deadline_and_its_connection),
        TEST(a_server_that_never_answers_costs_the_deadline),
        TEST(nobody_there_is_told_at_once_and_asked_again_later),
        TEST(a_wrong_password_is_unavailable_and_not_logged),
    };

    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
