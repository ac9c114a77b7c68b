/* Durable consumers over a real log: the service in small. */

#include <stdio.h>
#include <string.h>

#include "services/events/stream.h"
#include "services/events/test_stand.h"

#define CONSUMER "crm.sync"

static bool
stand_leads(void *context)
{
    (void)context;
    return sequencer_leads(stand.sequencer);
}

static int
start(void **state)
{
    if (stand_start_open(state) != 0)
        return -1;
    test_log_await(stand_leads, NULL, "leadership");
    return 0;
}

static bool
is_numbered(void *head)
{
    return test_log_head() == *(const uint64_t *)head;
}

/* Events with the partition keys "key-0" to "key-15" in turn. */
static void
write_keyed(unsigned count)
{
    uint64_t head = test_log_head() + count;
    struct bytes events[64];
    struct arena arena;

    assert_in_range(count, 1, COUNT_OF(events));
    arena_init(&arena, ARENA_CALL_BYTES);
    for (unsigned i = 0; i < count; i++)
        events[i] = sample_pack(
            &arena, (struct sample){.tenant_id = SAMPLE_TENANT,
                                    .extra_name = "partitionkey",
                                    .extra_text = arena_printf(&arena, "key-%u", i % 16)});
    assert_ok(test_log_write(stand.writer, SAMPLE_TENANT, false, events, count, true));
    test_log_await(is_numbered, &head, "the events to be numbered");
    arena_fini(&arena);
}

/* Reads at both until they have so many events together. */
static void
await_together(struct test_peer *one, struct test_peer *two, uint64_t events, bool acknowledge)
{
    const struct mono deadline = in_ms(TEST_MS);

    while (one->events + two->events < events) {
        test_peer_await_silence(one, 20);
        test_peer_await_silence(two, 20);
        if (acknowledge) {
            test_peer_ack(one, one->delivery);
            test_peer_ack(two, two->delivery);
        }
        if (one->ended || two->ended || !mono_left_ms(deadline, clock_mono(clock_system())))
            fail_msg("%u and %u events; %s %s", (unsigned)one->events, (unsigned)two->events,
                     one->detail, two->detail);
    }
}

/* What the table says is done, in the lane that is furthest behind. */
static bool
is_kept_at(void *position)
{
    char sql[128];

    (void)snprintf(sql, sizeof sql, "test_consumed WHERE position >= %u",
                   *(const unsigned *)position);
    return test_log_count(sql) == 1;
}

static int
make_views(void **state)
{
    test_run("postgres", NULL,
             "CREATE VIEW events.test_consumed AS "
             "SELECT (SELECT min(lane) FROM unnest(lanes) AS lane) AS position "
             "FROM events.consumer");
    test_run("postgres", NULL, "GRANT SELECT ON events.test_consumed TO app_events");
    return stand_make_table(state);
}

static void
a_consumer_goes_on_behind_what_it_acknowledged(void **state)
{
    struct test_peer *peer = stand_connect(NULL);
    struct test_peer *again = stand_connect(NULL);
    unsigned position = 20;

    (void)state;
    write_keyed(20);
    test_peer_consume(peer, CONSUMER, false, 10, 0);
    test_peer_await_events(peer, 10);
    test_peer_ack(peer, peer->delivery);
    test_peer_credit(peer, 100);
    test_peer_await_events(peer, 20); /* the second ten without a word */
    test_peer_close(peer);
    test_peer_consume(again, CONSUMER, false, 1000, 0);
    test_peer_await_events(again, 10);
    assert_int_equal(again->seen[10], 0);
    assert_int_equal(again->seen[11], 1);
    test_peer_ack(again, again->delivery);
    test_log_await(is_kept_at, &position, "the position to be kept");
    /* Not even a restart changes that; what comes new comes once. */
    stand_restart();
    test_log_await(stand_leads, NULL, "leadership");
    test_peer_close(again);
    again = stand_connect(NULL);
    test_peer_consume(again, CONSUMER, false, 1000, 0);
    write_keyed(3);
    test_peer_await_events(again, 3);
    assert_int_equal(again->last_position, 23);
}

static void
what_was_acknowledged_is_kept_when_the_instance_stops(void **state)
{
    struct test_peer *peer = stand_connect(NULL);
    unsigned position = 5;

    (void)state;
    write_keyed(5);
    test_peer_consume(peer, CONSUMER, false, 100, 0);
    test_peer_await_events(peer, 5);
    test_peer_ack(peer, peer->delivery);
    test_peer_unfollow(peer);
    test_peer_await_end(peer, WIRE__V1__CODE__OK); /* so the one before was heard */
    stand_restart();
    assert_true(is_kept_at(&position));
}

static void
two_share_the_work_by_key_and_each_event_comes_once(void **state)
{
    struct test_peer *one = stand_connect(NULL);
    struct test_peer *two = stand_connect(NULL);

    (void)state;
    test_peer_consume(one, CONSUMER, true, 1000, 0);
    test_peer_consume(two, CONSUMER, true, 1000, 0);
    test_peer_await_heartbeat(one);
    test_peer_await_heartbeat(two);
    write_keyed(64);
    await_together(one, two, 64, true);
    assert_true(one->events > 0 && two->events > 0);
    for (unsigned position = 1; position <= 64; position++) {
        assert_int_equal(one->seen[position] + two->seen[position], 1);
        /* One key, one worker. */
        assert_int_equal(one->seen[position], one->seen[(position - 1) % 16 + 1]);
    }
}

static void
what_a_vanished_one_left_undone_comes_to_the_other(void **state)
{
    struct test_peer *one = stand_connect(NULL);
    struct test_peer *two = stand_connect(NULL);
    uint64_t left;

    (void)state;
    test_peer_consume(one, CONSUMER, true, 1000, 0);
    test_peer_consume(two, CONSUMER, true, 1000, 0);
    test_peer_await_heartbeat(one);
    test_peer_await_heartbeat(two);
    write_keyed(48);
    await_together(one, two, 48, false);
    left = one->events;
    assert_true(left > 0);
    test_peer_ack(two, two->delivery);
    test_peer_close(one); /* without a word of thanks */
    test_peer_await_events(two, 48);
    for (unsigned position = 1; position <= 48; position++)
        assert_int_equal(two->seen[position], 1);
}

static void
who_acknowledges_nothing_is_cut_off_and_the_other_gets_the_work(void **state)
{
    struct test_peer *silent = stand_connect(NULL);
    struct test_peer *busy = stand_connect(NULL);

    (void)state;
    test_peer_consume(silent, CONSUMER, true, 1000, 0);
    test_peer_await_heartbeat(silent);
    write_keyed(16);
    test_peer_await_events(silent, 16);
    test_peer_consume(busy, CONSUMER, true, 1000, 0);
    test_peer_await_end(silent, WIRE__V1__CODE__RESOURCE_EXHAUSTED);
    assert_non_null(strstr(silent->detail, "nothing was acknowledged for 2000 ms"));
    test_peer_await_events(busy, 16);
}

static void
a_consumer_that_is_not_shared_is_taken_over(void **state)
{
    struct test_peer *first = stand_connect(NULL);
    struct test_peer *second = stand_connect(NULL);

    (void)state;
    write_keyed(4);
    test_peer_consume(first, CONSUMER, false, 100, 0);
    test_peer_await_events(first, 4);
    test_peer_consume(second, CONSUMER, false, 100, 0);
    test_peer_await_end(first, WIRE__V1__CODE__ABORTED);
    test_peer_await_events(second, 4); /* nothing was acknowledged */
}

static void
misuse_is_named(void **state)
{
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    write_keyed(3);
    test_peer_consume(peer, "Not A Name", false, 100, 0);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(peer->detail, "follow.consumer"));
    test_peer_consume(peer, "", true, 100, 0);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(peer->detail, "follow.shared"));
    test_peer_consume(peer, CONSUMER, false, 100, 4000);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(peer->detail, "the log ends at 3"));
    test_peer_follow(peer, 0, 100, NULL);
    test_peer_ack(peer, 1);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    test_peer_consume(peer, CONSUMER, false, 100, 0); /* the refused one was not kept */
    test_peer_await_events(peer, 3);
    test_peer_ack(peer, 77);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(peer->detail, "ack.delivery"));
}

static void
a_consumer_that_is_forgotten_begins_anew(void **state)
{
    struct test_peer *peer = stand_connect(NULL);
    struct pg *pg = test_log_reader();
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    struct arena arena;
    struct pg_tx tx = {0};

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    write_keyed(4);
    test_peer_consume(peer, CONSUMER, false, 100, 0);
    test_peer_await_events(peer, 4);
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(store_consumer_forget(&tx, "", CONSUMER));
    assert_code(store_consumer_forget(&tx, "", CONSUMER), NOT_FOUND);
    assert_ok(pg_tx_commit(&tx));
    test_peer_ack(peer, peer->delivery);
    test_peer_await_end(peer, WIRE__V1__CODE__UNAVAILABLE);
    peer->events = 0;
    test_peer_consume(peer, CONSUMER, false, 100, 2);
    test_peer_await_events(peer, 2);
    pg_destroy(&pg);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stand_stop)
        TEST(a_consumer_goes_on_behind_what_it_acknowledged),
        TEST(what_was_acknowledged_is_kept_when_the_instance_stops),
        TEST(two_share_the_work_by_key_and_each_event_comes_once),
        TEST(what_a_vanished_one_left_undone_comes_to_the_other),
        TEST(who_acknowledges_nothing_is_cut_off_and_the_other_gets_the_work),
        TEST(a_consumer_that_is_not_shared_is_taken_over),
        TEST(misuse_is_named),
        TEST(a_consumer_that_is_forgotten_begins_anew),
    };

    return cmocka_run_group_tests_name("consumers", tests, make_views, NULL);
}
