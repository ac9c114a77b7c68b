#include "services/events/stream.h"

#include <pthread.h>
#include <string.h>
#include <zmq.h>

#include "services/events/test_stand.h"

#define LARGE_BYTES 8000

static void
replay_goes_over_to_live_without_a_seam(void **state)
{
    struct test_peer *peer;

    (void)state;
    stand_write(700, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = LARGE_BYTES});
    stand_write(600, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = 50});
    /* Another stream begins with an empty tail, so all comes from the log. */
    stand_restart();
    peer = stand_connect(NULL);
    test_peer_follow(peer, 0, 100000, NULL);
    test_peer_await_through(peer, 1300);
    stand_write(300, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT, .data_bytes = 50});
    test_peer_await_through(peer, 1600);
    assert_int_equal(peer->events, 1600);
    assert_int_equal(peer->last_position, 1600);
    assert_int_equal(peer->gaps, 0);
    test_peer_close(peer);
}

static void
no_more_than_the_credit_is_sent(void **state)
{
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    stand_write(50, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = 50});
    test_peer_follow(peer, 10, 7, NULL);
    test_peer_await_through(peer, 17);
    test_peer_await_heartbeat(peer);
    assert_int_equal(peer->events, 7);
    assert_int_equal(peer->through, 17);
    assert_int_equal(peer->head, 50);
    test_peer_credit(peer, 3);
    test_peer_await_through(peer, 20);
    test_peer_await_heartbeat(peer);
    assert_int_equal(peer->events, 10);
    assert_int_equal(peer->gaps, 0);
    test_peer_close(peer);
}

static void
under_a_filter_the_ranges_still_cover_every_position(void **state)
{
    const char *types[] = {"org.samverka.person."};
    Events__V1__Filter filter = EVENTS__V1__FILTER__INIT;
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    filter.types = types;
    filter.n_types = 1;
    test_peer_follow(peer, 0, 100, &filter);
    stand_write(20, (struct sample){.tenant_id = SAMPLE_TENANT});
    stand_write(
        1, (struct sample){.tenant_id = SAMPLE_TENANT, .type = "org.samverka.person.added.v1"});
    stand_write(20, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_through(peer, 41);
    assert_int_equal(peer->events, 1);
    assert_int_equal(peer->last_position, 21);
    assert_int_equal(peer->gaps, 0);
    /* The same from the log, where blocks that hold nothing wanted come without data. */
    stand_restart();
    test_peer_close(peer);
    peer = stand_connect(NULL);
    test_peer_follow(peer, 0, 100, &filter);
    test_peer_await_through(peer, 41);
    assert_int_equal(peer->events, 1);
    assert_int_equal(peer->gaps, 0);
    test_peer_close(peer);
}

static void
a_second_follow_replaces_the_first(void **state)
{
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    stand_write(30, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_follow(peer, 0, 5, NULL);
    test_peer_await_through(peer, 5);
    test_peer_follow(peer, 20, 100, NULL);
    test_peer_await_through(peer, 30);
    assert_int_equal(peer->events, 10);
    assert_int_equal(peer->gaps, 0);
    test_peer_unfollow(peer);
    test_peer_await_end(peer, WIRE__V1__CODE__OK);
    assert_int_equal(peer->ended_through, 30);
    test_peer_close(peer);
}

static void
positions_that_cannot_be_served_are_refused_with_the_reason(void **state)
{
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    stand_write(30, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_follow(peer, 31, 5, NULL);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_string_equal(peer->detail, "follow.after: the log ends at 30");
    test_run("postgres", NULL, "UPDATE events.head SET first_kept = 12");
    stand_restart();
    test_peer_close(peer);
    peer = stand_connect(NULL);
    test_peer_follow(peer, 11, 5, NULL);
    test_peer_await_end(peer, WIRE__V1__CODE__POSITION_GONE);
    assert_int_equal(peer->first_kept, 12);
    test_peer_follow(peer, 12, 5, NULL);
    test_peer_await_through(peer, 17);
    test_peer_close(peer);
}

struct malformed {
    const char *what;
    const void *frame;
    size_t size;
    const char *detail; /* what the answer's detail begins with */
};

static void
malformed_frames_are_answered_with_the_place_and_the_reason(void **state)
{
#define BYTES(text) text, sizeof text - 1
    static const struct malformed frames[] = {
        {"empty", BYTES(""), "frame: "},
        {"a truncated length", BYTES("\x0a\x7f"), ""},
        {"a group", BYTES("\x0b\x0c"), ""},
        {"a varint that does not end", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
         ""},
        {"an unknown frame only", BYTES("\x3a\x01x"), "frame: "},
        {"follow without credit", BYTES("\x0a\x00"), "follow.credit: "},
        {"too much credit", BYTES("\x0a\x04\x18\xa1\x8d\x06"), "follow.credit: "},
        {"credit of nothing", BYTES("\x12\x00"), "credit.events: "},
        {"a position beyond all",
         BYTES("\x0a\x0d\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
               "\x18\x01"),
         "follow.after: "},
        {"a tenant that is no id", BYTES("\x0a\x07\x12\x03\x12\x01x\x18\x01"),
         "filter.tenant_ids[0]: "},
        {"an empty type", BYTES("\x0a\x06\x12\x02\x0a\x00\x18\x01"), "filter.types[0]: "},
        {"a type that is not UTF-8", BYTES("\x0a\x07\x12\x03\x0a\x01\xff\x18\x01"), ""},
        {"a type with a NUL", BYTES("\x0a\x07\x12\x03\x0a\x01\x00\x18\x01"), ""},
        {"the wrong wire type", BYTES("\x08\x01"), ""},
    };
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        print_message("  %s\n", frames[i].what);
        test_peer_send(peer, frames[i].frame, frames[i].size);
        test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
        assert_int_not_equal(strlen(peer->detail), 0);
        assert_memory_equal(peer->detail, frames[i].detail, strlen(frames[i].detail));
    }
    assert_int_equal(zmq_send(peer->socket, "\x1a\x00", 2, ZMQ_SNDMORE), 2); /* unfollow */
    test_peer_send(peer, "x", 1);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_string_equal(peer->detail, "frame: such a message has 1 frames, not 2");
    /* The connection is as good as before. */
    stand_write(3, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_follow(peer, 0, 5, NULL);
    test_peer_await_through(peer, 3);
    /* In the middle of a follow such a frame ends it. */
    test_peer_send(peer, "\xff", 1);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_int_equal(peer->ended_through, 3);
    test_peer_close(peer);
}

static void
a_filter_of_ten_thousand_terms_is_refused(void **state)
{
    static const char *types[10000];
    Events__V1__Filter filter = EVENTS__V1__FILTER__INIT;
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        types[i] = "org.samverka.";
    filter.types = types;
    filter.n_types = 9000;
    test_peer_follow(peer, 0, 5, &filter);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    filter.n_types = COUNT_OF(types);
    test_peer_follow(peer, 0, 5, &filter);
    test_peer_await_any_end(peer);
    test_peer_close(peer);
}

static void
credit_that_overflows_ends_the_follow(void **state)
{
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    test_peer_follow(peer, 0, 100000, NULL);
    test_peer_await_heartbeat(peer);
    test_peer_credit(peer, 1);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    test_peer_close(peer);
    peer = stand_connect(NULL);
    test_peer_credit(peer, 1); /* as after a restart of the service */
    test_peer_await_end(peer, WIRE__V1__CODE__UNAVAILABLE);
    test_peer_close(peer);
}

static void
a_follower_that_does_not_read_is_cut_off_and_catches_up_later(void **state)
{
    struct test_peer *slow = stand_connect(NULL);
    struct test_peer *quick = stand_connect(NULL);

    (void)state;
    stand_write(1000, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = 15000});
    test_peer_follow(slow, 0, 100000, NULL);
    test_peer_follow(quick, 0, 100000, NULL);
    /* It does read, or libzmq's heartbeats would end the connection; but so little that its
     * pipe has no room for more than slow_ms at a time. */
    test_peer_read_slowly(slow, quick, 40);
    test_peer_await_through(quick, 1000);
    assert_int_equal(quick->events, 1000);
    assert_int_equal(slow->code, WIRE__V1__CODE__RESOURCE_EXHAUSTED);
    assert_int_equal(slow->gaps, 0);
    assert_int_equal(slow->ended_through, slow->through);
    assert_true(slow->through < 1000);
    test_peer_follow(slow, slow->through, 100000, NULL);
    test_peer_await_through(slow, 1000);
    assert_int_equal(slow->events, 1000);
    assert_int_equal(slow->gaps, 0);
    test_peer_close(slow);
    test_peer_close(quick);
}

static void *
stop_stream(void *argument)
{
    stream_stop(stand.stream);
    stand_end_sequencer();
    stream_destroy(&stand.stream);
    return argument;
}

/* The peer reads meanwhile: libzmq drops what is unread when a connection closes. */
static void
a_stop_sends_followers_elsewhere(void **state)
{
    pthread_t thread;
    struct test_peer *peer = stand_connect(NULL);

    (void)state;
    stand_write(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_follow(peer, 0, 1000, NULL);
    test_peer_await_through(peer, 2);
    assert_int_equal(pthread_create(&thread, NULL, stop_stream, NULL), 0);
    test_peer_await_end(peer, WIRE__V1__CODE__UNAVAILABLE);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(peer->ended_through, 2);
    test_peer_close(peer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define OPEN(name) cmocka_unit_test_setup_teardown(name, stand_start_open, stand_stop)
        OPEN(replay_goes_over_to_live_without_a_seam),
        OPEN(no_more_than_the_credit_is_sent),
        OPEN(under_a_filter_the_ranges_still_cover_every_position),
        OPEN(a_second_follow_replaces_the_first),
        OPEN(positions_that_cannot_be_served_are_refused_with_the_reason),
        OPEN(malformed_frames_are_answered_with_the_place_and_the_reason),
        OPEN(a_filter_of_ten_thousand_terms_is_refused),
        OPEN(credit_that_overflows_ends_the_follow),
        OPEN(a_follower_that_does_not_read_is_cut_off_and_catches_up_later),
        OPEN(a_stop_sends_followers_elsewhere),
    };

    return cmocka_run_group_tests_name("stream", tests, stand_make_table, NULL);
}
