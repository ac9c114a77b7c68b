/* Appends by the stream, and what a key may use: the service in small. */

#include <inttypes.h>
#include <string.h>

#include "services/events/stream.h"
#include "services/events/test_stand.h"

static struct arena arena;

static int
start_open(void **state)
{
    arena_init(&arena, ARENA_CALL_BYTES);
    return stand_start_open(state);
}

static int
start_curve(void **state)
{
    arena_init(&arena, ARENA_CALL_BYTES);
    return stand_start_curve(state);
}

static int
stop(void **state)
{
    arena_fini(&arena);
    return stand_stop(state);
}

static bool
stand_leads(void *context)
{
    (void)context;
    return sequencer_leads(stand.sequencer);
}

/* A batch of `count` events of the source. */
static struct bytes
batch_of(const char *source, const char *type, const char *id, size_t count)
{
    struct bytes *events = ARENA_ARRAY(&arena, struct bytes, count);

    assert_non_null(events);
    for (size_t i = 0; i < count; i++)
        events[i] =
            sample_pack(&arena, (struct sample){.id = arena_printf(&arena, "%s-%zu", id, i),
                                                .source = source,
                                                .type = type,
                                                .data_bytes = 100});
    return sample_batch(&arena, events, count);
}

static void
what_is_appended_comes_to_followers_and_its_outcome_to_the_appender(void **state)
{
    struct test_peer *appender = stand_connect(NULL);
    struct test_peer *follower = stand_connect(NULL);

    (void)state;
    test_log_await(stand_leads, NULL, "leadership");
    test_peer_follow(follower, 0, 1000, NULL);
    test_peer_append(appender, SAMPLE_TENANT, "/crm", 1,
                     batch_of("/crm/a", "org.example.x", "a", 3));
    test_peer_await_outcome(appender, WIRE__V1__CODE__OK);
    assert_int_equal(appender->outcome_batch, 1);
    assert_int_equal(appender->outcome_first, 1);
    assert_int_equal(appender->outcome_last, 3);
    test_peer_await_through(follower, 3);
    assert_int_equal(follower->events, 3);
    test_peer_append(appender, SAMPLE_TENANT, "/crm", 1,
                     batch_of("/crm/a", "org.example.x", "a", 3));
    test_peer_await_outcome(appender, WIRE__V1__CODE__OK);
    assert_int_equal(appender->outcome_last, 3);
    test_peer_append(appender, SAMPLE_TENANT, "/crm", 2,
                     batch_of("/crm/a", "org.example.x", "a", 4));
    test_peer_await_outcome(appender, WIRE__V1__CODE__OK);
    assert_int_equal(appender->outcome_duplicates, 3);
    assert_int_equal(appender->outcome_first, 4);
    test_peer_await_through(follower, 4);
    assert_int_equal(follower->gaps, 0);
    test_log_verify();
}

static void
many_batches_may_be_under_way_and_each_gets_its_outcome(void **state)
{
    struct test_peer *appender = stand_connect(NULL);

    (void)state;
    test_log_await(stand_leads, NULL, "leadership");
    for (uint64_t i = 1; i <= 200; i++)
        test_peer_append(
            appender, SAMPLE_TENANT, "/crm", i,
            batch_of("/crm", "org.example.x", arena_printf(&arena, "%" PRIu64, i), 2));
    while (appender->outcomes < 200)
        test_peer_await_outcome(appender, WIRE__V1__CODE__OK);
    assert_int_equal(test_log_head(), 400);
    test_log_verify();
}

static void
bad_batches_are_refused_by_their_place_and_end_no_follow(void **state)
{
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    test_log_await(stand_leads, NULL, "leadership");
    test_peer_follow(peer, 0, 100, NULL);
    test_peer_append(peer, "", "/crm", 1, batch_of("/crm", NULL, "a", 1));
    test_peer_await_outcome(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(peer->detail, "tenant_id"));
    test_peer_append(peer, SAMPLE_TENANT, "/crm", 0, batch_of("/crm", NULL, "a", 1));
    test_peer_await_outcome(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    test_peer_append(peer, SAMPLE_TENANT, "/crm", 1, batch_of("/erp", NULL, "a", 1));
    test_peer_await_outcome(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(peer->detail, "batch.events[0].source"));
    test_peer_append(peer, SAMPLE_TENANT, "/crm", 1, (struct bytes){(const uint8_t *)"x", 1});
    test_peer_await_outcome(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    test_peer_append(peer, SAMPLE_TENANT, "/crm", 1, batch_of("/crm", NULL, "a", 1));
    test_peer_await_outcome(peer, WIRE__V1__CODE__OK);
    test_peer_await_through(peer, 1);
    assert_false(peer->ended);
}

static void
a_system_appends_its_own_types_into_its_own_tenant(void **state)
{
    struct test_peer *peer = stand_connect(&stand.system);

    (void)state;
    test_log_await(stand_leads, NULL, "leadership");
    stand_publish(stand.system.public_text, "{}", "NULL");
    test_peer_follow_when_admitted(peer, 0, 1000, NULL);
    test_peer_append(peer, "", "/crm", 1, batch_of("/crm", "org.example.done.v1", "a", 2));
    test_peer_await_outcome(peer, WIRE__V1__CODE__OK);
    test_peer_await_through(peer, 2);
    assert_int_equal(peer->events, 2);
    test_peer_append(peer, SAMPLE_OTHER_TENANT, "/crm", 2,
                     batch_of("/crm", "org.example.done.v1", "b", 1));
    test_peer_await_outcome(peer, WIRE__V1__CODE__PERMISSION_DENIED);
    assert_non_null(strstr(peer->detail, "append.tenant_id"));
    test_peer_append(peer, "", "/crm", 2, batch_of("/crm", SAMPLE_TYPE, "b", 1));
    test_peer_await_outcome(peer, WIRE__V1__CODE__PERMISSION_DENIED);
    assert_non_null(strstr(peer->detail, "batch.events[0].type"));
    assert_int_equal(test_log_head(), 2);
}

static void
a_system_that_appends_more_than_its_limit_is_told_when_to_come_again(void **state)
{
    struct test_peer *peer = stand_connect(&stand.system);

    (void)state;
    test_log_await(stand_leads, NULL, "leadership");
    stand_publish(stand.system.public_text, "{}", "NULL");
    test_peer_follow_when_admitted(peer, 0, 100000, NULL);
    for (uint64_t i = 1; i <= 4; i++) /* 1,000 a second are allowed */
        test_peer_append(
            peer, "", "/crm", i,
            batch_of("/crm", "org.example.x", arena_printf(&arena, "%" PRIu64, i), 900));
    test_peer_await_outcome(peer, WIRE__V1__CODE__RESOURCE_EXHAUSTED);
    assert_non_null(strstr(peer->detail, "1000 events a second"));
}

static void
a_system_follows_so_often_and_no_more(void **state)
{
    struct test_peer *peers[4];

    (void)state;
    stand_publish(stand.system.public_text, "{}", "NULL");
    for (size_t i = 0; i < 3; i++) {
        peers[i] = stand_connect(&stand.system);
        test_peer_follow_when_admitted(peers[i], 0, 1000, NULL);
    }
    peers[3] = stand_connect(&stand.system);
    test_peer_follow(peers[3], 0, 1000, NULL);
    test_peer_await_end(peers[3], WIRE__V1__CODE__RESOURCE_EXHAUSTED);
    test_peer_unfollow(peers[0]);
    test_peer_await_end(peers[0], WIRE__V1__CODE__OK);
    test_peer_follow(peers[3], 0, 1000, NULL);
    test_peer_await_heartbeat(peers[3]);
    assert_false(peers[3]->ended);
}

static void
a_system_that_was_sent_more_than_its_limit_is_held_back(void **state)
{
    struct test_peer *peer = stand_connect(&stand.system);
    unsigned heartbeats;

    (void)state;
    stand.events_per_second = 100;
    stand_publish(stand.system.public_text, "{}", "NULL");
    test_peer_follow_when_admitted(peer, 0, 100000, NULL);
    stand_write(400, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_through(peer, 400);
    heartbeats = peer->heartbeats;
    stand_write(1, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_through(peer, 401);
    /* Three seconds' worth was owed, and a heartbeat comes each second meanwhile. */
    assert_true(peer->heartbeats > heartbeats);
    assert_int_equal(peer->gaps, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define OPEN(name) cmocka_unit_test_setup_teardown(name, start_open, stop)
#define CURVE(name) cmocka_unit_test_setup_teardown(name, start_curve, stop)
        OPEN(what_is_appended_comes_to_followers_and_its_outcome_to_the_appender),
        OPEN(many_batches_may_be_under_way_and_each_gets_its_outcome),
        OPEN(bad_batches_are_refused_by_their_place_and_end_no_follow),
        CURVE(a_system_appends_its_own_types_into_its_own_tenant),
        CURVE(a_system_that_appends_more_than_its_limit_is_told_when_to_come_again),
        CURVE(a_system_follows_so_often_and_no_more),
        CURVE(a_system_that_was_sent_more_than_its_limit_is_held_back),
    };

    return cmocka_run_group_tests_name("appends", tests, stand_make_table, NULL);
}
