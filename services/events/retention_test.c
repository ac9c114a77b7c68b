/* Partitions, trimming and chains on a real Postgres. */

#include "services/events/retention.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <string.h>

#include "services/events/test_kept.h"

static int64_t
partitions(void)
{
    return test_number("SELECT count(*) FROM pg_inherits "
                       "WHERE inhparent = 'events.log'::regclass");
}

static uint64_t
first_kept(void)
{
    return (uint64_t)test_number("SELECT first_kept FROM events.head");
}

static void
rolling_keeps_every_event_in_its_place(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 4; i++) {
        kept_write(SAMPLE_TENANT, 30, 3000);
        kept_write(SAMPLE_OTHER_TENANT, 7, 10);
        assert_ok(kept_roll(i * 37));
    }
    kept_write(SAMPLE_TENANT, 1, 10);
    assert_int_equal(partitions(), 5);
    assert_int_equal(test_log_count("log_partition"), 5);
    test_log_verify();
    assert_int_equal(test_number("SELECT count(*) FROM events.log_38 "
                                 "WHERE position BETWEEN 38 AND 74"),
                     test_number("SELECT count(*) FROM events.log_38"));
    assert_int_equal(test_number("SELECT count(*) FROM pg_attribute WHERE attname = 'data' AND "
                                 "attstorage = 'x' AND attcompression = 'l' AND "
                                 "attrelid = 'events.log_149'::regclass"),
                     1);
}

/* The guard behind the leader's lock, as for a round: what was seen must be so still. */
static void
a_roll_behind_another_head_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    kept_write(SAMPLE_TENANT, 5, 10);
    assert_code(kept_roll(4), ABORTED);
    assert_code(kept_roll(6), ABORTED);
    assert_int_equal(partitions(), 1);
    assert_int_equal(test_log_count("chain_mark"), 0);
    assert_ok(kept_roll(5));
    assert_int_equal(partitions(), 2);
}

/* A second sequencer is in the middle of a round, and commits it while the first wants to roll:
 * the first waits for the log, not longer than it may, and then sees the head has moved. */
static void
a_roll_that_meets_another_sequencers_round_gives_way(void **state)
{
    PGconn *other = PQconnectdb(test_dsn("app_events"));

    (void)state;
    kept_write(SAMPLE_TENANT, 5, 10);
    PQclear(PQexec(other, "BEGIN"));
    PQclear(PQexec(other, "INSERT INTO log SELECT 6, 10, count, tenants, types, shared, data, "
                          "checksum FROM log WHERE position = 1"));
    PQclear(PQexec(other, "UPDATE head SET position = 10 WHERE position = 5"));
    assert_code(kept_roll(5), ABORTED);
    PQclear(PQexec(other, "COMMIT"));
    assert_int_equal(test_log_head(), 10);
    assert_code(kept_roll(5), ABORTED);
    assert_int_equal(partitions(), 1);
    PQfinish(other);
}

static bool
is_due(int64_t days, int64_t events, int64_t row_bytes)
{
    const struct store_roll_limits limits = {days, events, row_bytes};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    struct pg_tx tx = {0};
    uint64_t head;
    bool due;

    assert_ok(pg_tx_begin(kept.pg, &scope, &kept.arena, &tx));
    assert_ok(store_roll_due(&tx, &limits, &head, &due));
    pg_tx_end(&tx);
    return due;
}

static void
a_partition_ends_by_age_by_events_or_by_its_rows_but_never_empty(void **state)
{
    (void)state;
    test_run("postgres", NULL,
             "UPDATE events.log_partition SET opened_at = now() - interval '31 days'");
    assert_false(is_due(30, 1, 1));
    assert_int_equal(test_number("SELECT events.roll_log(0)"), 0);
    kept_write(SAMPLE_TENANT, 5, 10);
    assert_true(is_due(30, 1000, 1 << 30));
    assert_false(is_due(32, 1000, 1 << 30));
    assert_true(is_due(32, 5, 1 << 30));
    assert_false(is_due(32, 6, 1 << 30));
    assert_true(is_due(32, 1000, 8192));
    assert_false(is_due(32, 1000, 8193));
}

static bool
two_partitions(void *context)
{
    (void)context;
    return test_log_count("log_partition") >= 2;
}

struct reading {
    pthread_t thread;
    atomic_bool stop;
    atomic_uint rounds;
    const char *fault;
};

/* One pass over the whole log, as the reader of followers does it: a transaction a page. */
static const char *
read_through(struct pg *pg, struct arena *arena)
{
    uint64_t after = 0, head = 1, kept_from;

    while (after < head) {
        scoped(store_page_release) struct block *page = NULL;
        scoped(pg_tx_end) struct pg_tx tx = {0};
        const struct pg_scope scope = scope_of(NULL, TEST_MS);

        arena_reset(arena);
        if (failed(pg_tx_begin(pg, &scope, arena, &tx)) ||
            failed(store_head(&tx, &head, &kept_from)) ||
            failed(store_page(&tx, after, 5, NULL, &page)))
            return "a page cannot be read";
        if (after < head && (!page || page->position != after + 1))
            return "a page does not join";
        for (const struct block *block = page; block; block = block->next) {
            if (block->position != after + 1)
                return "a block does not join";
            after = block->last;
        }
    }
    return NULL;
}

static void *
read_on(void *argument)
{
    struct reading *reading = argument;
    struct pg *pg = test_log_reader();
    struct arena arena;

    arena_init(&arena, (size_t)64 << 20);
    while (!atomic_load(&reading->stop) && !reading->fault) {
        reading->fault = read_through(pg, &arena);
        atomic_fetch_add(&reading->rounds, 1);
    }
    pg_destroy(&pg);
    arena_fini(&arena);
    return NULL;
}

static void
deliver(void *context, struct block *block)
{
    (void)context;
    block_release(&block);
}

static void
reached(void *context, uint64_t head, uint64_t kept_from)
{
    (void)kept_from;
    *(_Atomic uint64_t *)context = head;
}

/* A sequencer that looks whether to roll after every round. */
static struct sequencer *
start_rolling(struct pg_config *pg, _Atomic uint64_t *head)
{
    struct sequencer *sequencer = NULL;

    *pg = (struct pg_config){.dsn = test_dsn("app_events"),
                             .application_name = "retention_test",
                             .rooms = store_statements,
                             .clock = clock_system()};
    assert_ok(sequencer_create(
        &(struct sequencer_config){.pg = pg,
                                   .clock = clock_system(),
                                   .deliver = deliver,
                                   .reached = reached,
                                   .context = head,
                                   .roll = {.days = 30, .events = 20, .every_ms = 1}},
        &kept.arena, &sequencer));
    return sequencer;
}

static void
readers_see_every_event_while_the_leader_rolls(void **state)
{
    struct reading readings[3] = {0};
    struct pg_config pg;
    _Atomic uint64_t head = 0;
    struct sequencer *rolling;

    (void)state;
    kept_write(SAMPLE_TENANT, 1, 10);
    sequencer_destroy(&kept.sequencer);
    rolling = start_rolling(&pg, &head);
    for (size_t i = 0; i < COUNT_OF(readings); i++)
        assert_int_equal(pthread_create(&readings[i].thread, NULL, read_on, &readings[i]), 0);
    for (int i = 0; i < 12; i++)
        kept_write(i % 2 ? SAMPLE_TENANT : SAMPLE_OTHER_TENANT, 25, 2000);
    test_log_await(two_partitions, NULL, "a second partition");
    for (size_t i = 0; i < COUNT_OF(readings); i++) {
        atomic_store(&readings[i].stop, true);
        assert_int_equal(pthread_join(readings[i].thread, NULL), 0);
        if (readings[i].fault)
            fail_msg("%s", readings[i].fault);
        assert_true(atomic_load(&readings[i].rounds) > 0);
    }
    sequencer_destroy(&rolling);
    assert_in_range(partitions(), 4, 16);
    test_log_verify();
}

static void
trimming_lets_go_of_whole_partitions_and_never_of_the_open_one(void **state)
{
    uint64_t kept_from;

    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        kept_write(SAMPLE_TENANT, 10, 10);
        assert_ok(kept_roll(i * 10));
    }
    kept_write(SAMPLE_TENANT, 10, 10);
    assert_ok(kept_trim(9, 0, &kept_from));
    assert_int_equal(kept_from, 0);
    assert_ok(kept_trim(19, 0, &kept_from));
    assert_int_equal(kept_from, 10);
    assert_int_equal(partitions(), 3);
    assert_ok(kept_trim(40, 0, &kept_from));
    assert_int_equal(kept_from, 30);
    assert_int_equal(first_kept(), 30);
    assert_int_equal(partitions(), 1);
    assert_int_equal(test_number("SELECT min(position) FROM events.log"), 31);
    assert_int_equal(test_number("SELECT min(start) FROM events.chain_mark"), 31);
    assert_ok(kept_trim(40, 0, &kept_from));
    assert_int_equal(kept_from, 30);
    assert_fails(kept_trim(41, 0, &kept_from), INVALID_ARGUMENT, "through");
    kept_write(SAMPLE_TENANT, 3, 10);
    assert_int_equal(test_log_head(), 43);
}

static void
young_partitions_are_not_trimmed(void **state)
{
    struct status status;
    uint64_t kept_from;

    (void)state;
    for (uint64_t i = 1; i <= 2; i++) {
        kept_write(SAMPLE_TENANT, 10, 10);
        assert_ok(kept_roll(i * 10));
    }
    kept_write(SAMPLE_TENANT, 1, 10);
    status = kept_trim(20, 7, &kept_from);
    assert_code(status, FAILED_PRECONDITION);
    assert_non_null(strstr(status.detail, "younger than keep_days (7 days)"));
    /* The first was ended, that is the second opened, eight days ago. */
    test_run("postgres", NULL,
             "UPDATE events.log_partition SET opened_at = now() - interval '8 days' "
             "WHERE start <= 11");
    status = kept_trim(20, 7, &kept_from);
    assert_code(status, FAILED_PRECONDITION);
    assert_non_null(strstr(status.detail, "after 10 are"));
    assert_int_equal(partitions(), 3);
    assert_int_equal(first_kept(), 0);
    assert_ok(kept_trim(10, 7, &kept_from));
    assert_int_equal(kept_from, 10);
    assert_int_equal(partitions(), 2);
}

static enum code
code_of_missing(uint64_t after)
{
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    scoped(store_page_release) struct block *page = NULL;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint64_t kept_from = 0;
    struct status status;

    assert_ok(pg_tx_begin(kept.pg, &scope, &kept.arena, &tx));
    assert_ok(store_page(&tx, after, 5, NULL, &page));
    if (page && page->position <= after + 1)
        return CODE_OK;
    status = store_missing(&tx, after, &kept_from);
    if (status.code == CODE_POSITION_GONE)
        assert_int_equal(kept_from, first_kept());
    return status.code;
}

/* Between the look at the head and the page: that is no fault of the log. */
static void
a_page_that_was_trimmed_away_is_gone_and_one_that_is_missing_is_a_fault(void **state)
{
    (void)state;
    kept_write(SAMPLE_TENANT, 10, 10);
    assert_ok(kept_roll(10));
    kept_write(SAMPLE_TENANT, 10, 10);
    kept_write(SAMPLE_TENANT, 10, 10);
    assert_int_equal(code_of_missing(5), CODE_OK);
    assert_ok(kept_trim(10, 0, NULL));
    assert_int_equal(code_of_missing(5), CODE_POSITION_GONE);
    assert_int_equal(code_of_missing(10), CODE_OK);
    test_run("postgres", NULL, "DELETE FROM events.log WHERE position = 11");
    assert_int_equal(code_of_missing(10), CODE_INTERNAL);
}

static bool
has_reached(void *head)
{
    return atomic_load((_Atomic uint64_t *)head) == 10;
}

static bool
has_touched(void *fellow)
{
    return sequencer_in_touch(fellow);
}

static void
a_fellow_behind_what_was_trimmed_goes_on_at_the_head(void **state)
{
    struct pg_config pg;
    _Atomic uint64_t head = 99;
    struct sequencer *fellow;

    (void)state;
    fellow = start_rolling(&pg, &head);
    test_log_await(has_touched, fellow, "first contact");
    /* As if ten events had come and were let go of between two of its looks. */
    test_run("postgres", NULL, "UPDATE events.head SET position = 10, first_kept = 10");
    test_log_await(has_reached, &head, "the fellow to go on");
    sequencer_destroy(&fellow);
}

static void
pages_are_found_at_positions_of_more_than_32_bits(void **state)
{
    const uint64_t far = (uint64_t)5 << 32;
    scoped(store_page_release) struct block *page = NULL;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);

    (void)state;
    kept_write(SAMPLE_TENANT, 3, 10);
    test_run("postgres", NULL,
             "UPDATE events.log SET position = position + (5::bigint << 32), "
             "last = last + (5::bigint << 32)");
    assert_ok(pg_tx_begin(kept.pg, &scope, &kept.arena, &tx));
    assert_ok(store_page(&tx, far + 1, 5, NULL, &page));
    assert_non_null(page);
    assert_int_equal(page->position, far + 1);
}

static void
batches_of_append_are_known_for_48_hours(void **state)
{
    struct call call;

    (void)state;
    test_run(
        "postgres", NULL,
        "INSERT INTO events.append_source (tenant_id, source, batch_number, digest, first, "
        "last, created_at) SELECT '" SAMPLE_TENANT "', '/import', n, sha256(''), n, n, "
        "now() - make_interval(hours => 47 + n % 3) FROM generate_series(1, 12000) AS n");
    call = kept_call(NULL, "");
    assert_ok(retention_expire_appends(&call));
    assert_int_equal(test_log_count("append_source"), 4000);
    assert_int_equal(test_number("SELECT count(*) FROM events.append_source "
                                 "WHERE batch_number % 3 <> 0"),
                     0);
}

static const char *
error_of(const char *role, const char *sql, char ret[6])
{
    PGconn *connection = PQconnectdb(test_dsn(role));
    PGresult *result = PQexec(connection, sql);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    (void)snprintf(ret, 6, "%s", state ? state : "");
    PQclear(result);
    PQfinish(connection);
    return ret;
}

/* 42501: insufficient privilege. */
static void
no_service_changes_partitions_but_by_the_two_functions_of_events(void **state)
{
    static const char *const denied[][2] = {
        {"app_events", "ALTER TABLE events.log DETACH PARTITION events.log_1"},
        {"app_events", "DROP TABLE events.log_1"},
        {"app_events", "DELETE FROM events.log"},
        {"app_events", "SELECT FROM events.log_1"},
        {"app_events", "DELETE FROM events.log_partition"},
        {"app_registry", "SELECT events.roll_log(0)"},
        {"app_registry", "SELECT events.trim_log(0, 0)"},
        {"app_matching", "SELECT events.roll_log(0)"},
        {"app_notifications", "SELECT events.trim_log(0, 0)"},
    };
    char code[6];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(denied); i++)
        assert_string_equal(error_of(denied[i][0], denied[i][1], code), "42501");
    assert_string_equal(error_of("app_events", "SELECT events.trim_log(0, 0)", code), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, kept_start, kept_stop)
        TEST(rolling_keeps_every_event_in_its_place),
        TEST(a_roll_behind_another_head_is_refused_and_changes_nothing),
        TEST(a_roll_that_meets_another_sequencers_round_gives_way),
        TEST(a_partition_ends_by_age_by_events_or_by_its_rows_but_never_empty),
        TEST(readers_see_every_event_while_the_leader_rolls),
        TEST(trimming_lets_go_of_whole_partitions_and_never_of_the_open_one),
        TEST(young_partitions_are_not_trimmed),
        TEST(a_page_that_was_trimmed_away_is_gone_and_one_that_is_missing_is_a_fault),
        TEST(a_fellow_behind_what_was_trimmed_goes_on_at_the_head),
        TEST(pages_are_found_at_positions_of_more_than_32_bits),
        TEST(batches_of_append_are_known_for_48_hours),
        TEST(no_service_changes_partitions_but_by_the_two_functions_of_events),
    };

    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
