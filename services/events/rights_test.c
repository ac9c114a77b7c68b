#include "services/events/rights.h"

#include "services/events/test_stand.h"

static void
a_system_gets_its_tenants_events_and_public_ones_and_nothing_internal(void **state)
{
    struct test_peer *own = stand_connect(&stand.own);
    struct test_peer *system;

    (void)state;
    stand_publish(stand.system.public_text, "{}", "NULL");
    stand_write(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    stand_write(3, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT});
    stand_write(4, (struct sample){.tenant_id = SAMPLE_TENANT, .audience = "internal"});
    stand_write(5, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT, .audience = "public"});
    test_peer_follow(own, 0, 1000, NULL);
    test_peer_await_through(own, 14);
    assert_int_equal(own->events, 14);
    system = stand_connect(&stand.system);
    test_peer_follow_when_admitted(system, 0, 1000, NULL);
    test_peer_await_through(system, 14);
    assert_int_equal(system->events, 7);
    assert_int_equal(system->gaps, 0);
    test_peer_close(own);
    test_peer_close(system);
}

static void
the_types_of_a_key_bind_what_it_may_follow(void **state)
{
    struct test_peer *system;

    (void)state;
    stand_publish(stand.system.public_text, "{org.samverka.need.}", "NULL");
    stand_write(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    stand_write(
        3, (struct sample){.tenant_id = SAMPLE_TENANT, .type = "org.samverka.person.added.v1"});
    system = stand_connect(&stand.system);
    test_peer_follow_when_admitted(system, 0, 1000, NULL);
    test_peer_await_through(system, 5);
    assert_int_equal(system->events, 2);
    test_peer_close(system);
}

static void
a_revoked_key_hears_nothing_from_five_seconds_on(void **state)
{
    struct test_peer *system = stand_connect(&stand.system);
    struct mono revoked;
    uint64_t events;

    (void)state;
    stand_publish(stand.system.public_text, "{}", "NULL");
    test_peer_follow_when_admitted(system, 0, 1000, NULL);
    stand_write(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_through(system, 2);
    stand_publish(NULL, NULL, NULL);
    revoked = clock_mono(clock_system());
    test_peer_await_end(system, WIRE__V1__CODE__PERMISSION_DENIED);
    assert_true(mono_micros_between(revoked, clock_mono(clock_system())) < 5000000);
    test_peer_follow(system, 0, 1000, NULL); /* the connection still stands */
    test_peer_await_end(system, WIRE__V1__CODE__PERMISSION_DENIED);
    events = system->events;
    stand_write(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_silence(system, 300);
    assert_int_equal(system->events, events);
    test_peer_close(system);
    system = stand_connect(&stand.system);
    test_peer_follow(system, 0, 1000, NULL);
    test_peer_await_silence(system, 500);
    assert_int_equal(system->frames, 0);
    test_peer_close(system);
}

static void
a_key_that_expires_is_ended_at_its_time(void **state)
{
    struct test_peer *system = stand_connect(&stand.system);

    (void)state;
    stand_publish(stand.system.public_text, "{}", "now() + interval '3500 ms'");
    test_peer_follow_when_admitted(system, 0, 1000, NULL);
    stand_write(1, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_through(system, 1);
    test_peer_await_end(system, WIRE__V1__CODE__PERMISSION_DENIED);
    test_peer_close(system);
}

static void
a_strangers_key_gets_no_frame(void **state)
{
    struct key_pair stranger;
    struct test_peer *peer;

    (void)state;
    assert_ok(key_pair_create(&stand.arena, &stranger));
    stand_write(2, (struct sample){.tenant_id = SAMPLE_TENANT, .audience = "public"});
    peer = stand_connect(&stranger);
    test_peer_follow(peer, 0, 1000, NULL);
    test_peer_await_silence(peer, 500);
    assert_int_equal(peer->frames, 0);
    test_peer_close(peer);
    peer = stand_connect(NULL); /* no CURVE at all */
    test_peer_follow(peer, 0, 1000, NULL);
    test_peer_await_silence(peer, 500);
    assert_int_equal(peer->frames, 0);
    test_peer_close(peer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_start_curve, stand_stop)
        TEST(a_system_gets_its_tenants_events_and_public_ones_and_nothing_internal),
        TEST(the_types_of_a_key_bind_what_it_may_follow),
        TEST(a_revoked_key_hears_nothing_from_five_seconds_on),
        TEST(a_key_that_expires_is_ended_at_its_time),
        TEST(a_strangers_key_gets_no_frame),
    };

    return cmocka_run_group_tests_name("rights", tests, stand_make_table, NULL);
}
