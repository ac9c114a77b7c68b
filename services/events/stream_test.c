#include "services/events/stream.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <zmq.h>

#include "services/events/sequencer.h"
#include "services/events/test_log.h"
#include "services/events/test_peer.h"

#define LARGE_BYTES 8000
#define SYSTEM "0193a000-0000-7000-8000-0000000000f1"

/* A service in small: sequencer and stream over a real log. */
struct fixture {
    struct arena arena;
    void *context;
    struct zap *zap;
    struct key_pair server, own, system;
    struct zap_peer own_peer;
    struct sequencer *sequencer;
    struct stream *stream;
    struct pg *writer;
    struct pg_config pg;
    char dsn[512];
    struct test_peer peers[8];
    size_t peer_count;
};

static struct fixture fixture;

static void
deliver(void *context, struct block *block)
{
    (void)context;
    stream_offer(fixture.stream, block);
}

static void
reached(void *context, uint64_t head, uint64_t first_kept)
{
    (void)context;
    (void)first_kept;
    stream_reach(fixture.stream, head);
}

/* What registry would publish. */
static void
publish_system(const char *key, const char *types, const char *expires)
{
    char sql[512];

    test_run("postgres", NULL, "DELETE FROM events.test_system");
    if (!key)
        return;
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO events.test_system VALUES ('" SYSTEM "', $key$%s$key$, "
                   "ARRAY['" SAMPLE_TENANT "']::uuid[], '%s'::text[], %s)",
                   key, types, expires);
    test_run("postgres", NULL, sql);
}

static int
make_table(void **state)
{
    (void)state;
    test_run("postgres", NULL,
             "CREATE TABLE events.test_system (system_id uuid, key text, tenant_ids uuid[], "
             "types text[], expires_at timestamptz)");
    test_run("postgres", NULL, "GRANT SELECT ON events.test_system TO app_events");
    test_run("postgres", NULL,
             "CREATE OR REPLACE FUNCTION events.systems() RETURNS TABLE (system_id uuid, "
             "key text, tenant_ids uuid[], types text[], expires_at timestamptz) "
             "LANGUAGE sql STABLE AS 'SELECT * FROM events.test_system'");
    return 0;
}

static bool
in_touch(void *context)
{
    (void)context;
    return sequencer_in_touch(fixture.sequencer);
}

static void
start_stream(bool curve)
{
    const struct stream_config config = {
        .zmq_context = fixture.context,
        .bind = "tcp://127.0.0.1:*",
        .curve = {.on = curve, .own = &fixture.server, .domain = RIGHTS_DOMAIN},
        .zap = fixture.zap,
        .own = &fixture.own_peer,
        .own_count = curve ? 1 : 0,
        .pg = &fixture.pg,
        .clock = clock_system(),
        .tail_bytes = (size_t)1 << 20,
        .replay_bytes = (size_t)8 << 20,
        .followers_limit = 20,
        .slow_ms = 1000,
    };

    assert_ok(stream_create(&config, &fixture.arena, &fixture.stream));
}

static void
start(bool curve)
{
    memset(&fixture, 0, sizeof fixture);
    arena_init(&fixture.arena, (size_t)256 << 20);
    test_log_clear();
    publish_system(NULL, NULL, NULL);
    assert_non_null(fixture.context = zmq_ctx_new());
    (void)snprintf(fixture.dsn, sizeof fixture.dsn, "%s", test_dsn("app_events"));
    fixture.pg = (struct pg_config){.dsn = fixture.dsn,
                                    .application_name = "stream_test",
                                    .rooms = store_statements,
                                    .clock = clock_system()};
    if (curve) {
        assert_ok(key_pair_create(&fixture.arena, &fixture.server));
        assert_ok(key_pair_create(&fixture.arena, &fixture.own));
        assert_ok(key_pair_create(&fixture.arena, &fixture.system));
        assert_ok(zap_create(fixture.context, &fixture.arena, &fixture.zap));
        (void)snprintf(fixture.own_peer.name, sizeof fixture.own_peer.name, "service:matching");
        (void)snprintf(fixture.own_peer.key, sizeof fixture.own_peer.key, "%s",
                       fixture.own.public_text);
    }
    start_stream(curve);
    assert_ok(sequencer_create(
        &(struct sequencer_config){
            .pg = &fixture.pg, .clock = clock_system(), .deliver = deliver, .reached = reached},
        &fixture.arena, &fixture.sequencer));
    fixture.writer = test_log_writer();
    test_log_await(in_touch, NULL, "first contact");
}

static int
start_open(void **state)
{
    (void)state;
    start(false);
    return 0;
}

static int
start_curve(void **state)
{
    (void)state;
    start(true);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < fixture.peer_count; i++)
        test_peer_close(&fixture.peers[i]);
    sequencer_destroy(&fixture.sequencer);
    stream_destroy(&fixture.stream);
    zap_destroy(&fixture.zap);
    pg_destroy(&fixture.writer);
    assert_int_equal(zmq_ctx_term(fixture.context), 0);
    arena_fini(&fixture.arena);
    return 0;
}

static bool
is_numbered(void *head)
{
    return test_log_head() == *(uint64_t *)head;
}

/* Events through the outbox; back when they are in the log. */
static void
write_events(size_t count, struct sample sample)
{
    const char *tenant_id = sample.tenant_id;
    uint64_t head = test_log_head() + count;
    struct arena arena;
    struct bytes *events;

    arena_init(&arena, (size_t)256 << 20);
    events = ARENA_ARRAY(&arena, struct bytes, count);
    for (size_t i = 0; i < count; i++)
        events[i] = sample_pack(&arena, sample);
    assert_ok(test_log_write(fixture.writer, tenant_id,
                             sample.audience && strcmp(sample.audience, "internal") == 0,
                             events, count, true));
    test_log_await(is_numbered, &head, "the events to be numbered");
    arena_fini(&arena);
}

static struct test_peer *
connect_peer(const struct key_pair *key)
{
    struct test_peer *peer = &fixture.peers[fixture.peer_count++];

    assert_in_range(fixture.peer_count, 1, COUNT_OF(fixture.peers));
    *peer = test_peer_connect(fixture.context, stream_endpoint(fixture.stream), key,
                              key ? fixture.server.public_text : NULL);
    return peer;
}

static void
replay_goes_over_to_live_without_a_seam(void **state)
{
    struct test_peer *peer;

    (void)state;
    write_events(700, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = LARGE_BYTES});
    write_events(600, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = 50});
    /* Another stream begins with an empty tail, so all comes from the log. */
    stream_destroy(&fixture.stream);
    start_stream(false);
    stream_reach(fixture.stream, test_log_head());
    peer = connect_peer(NULL);
    test_peer_follow(peer, 0, 100000, NULL);
    test_peer_await_through(peer, 1300);
    write_events(300, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT, .data_bytes = 50});
    test_peer_await_through(peer, 1600);
    assert_int_equal(peer->events, 1600);
    assert_int_equal(peer->last_position, 1600);
    assert_int_equal(peer->gaps, 0);
    test_peer_close(peer);
}

static void
no_more_than_the_credit_is_sent(void **state)
{
    struct test_peer *peer = connect_peer(NULL);

    (void)state;
    write_events(50, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = 50});
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
    struct test_peer *peer = connect_peer(NULL);

    (void)state;
    filter.types = types;
    filter.n_types = 1;
    test_peer_follow(peer, 0, 100, &filter);
    write_events(20, (struct sample){.tenant_id = SAMPLE_TENANT});
    write_events(
        1, (struct sample){.tenant_id = SAMPLE_TENANT, .type = "org.samverka.person.added.v1"});
    write_events(20, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_through(peer, 41);
    assert_int_equal(peer->events, 1);
    assert_int_equal(peer->last_position, 21);
    assert_int_equal(peer->gaps, 0);
    /* The same from the log, where blocks that hold nothing wanted come without data. */
    stream_destroy(&fixture.stream);
    start_stream(false);
    stream_reach(fixture.stream, test_log_head());
    test_peer_close(peer);
    peer = connect_peer(NULL);
    test_peer_follow(peer, 0, 100, &filter);
    test_peer_await_through(peer, 41);
    assert_int_equal(peer->events, 1);
    assert_int_equal(peer->gaps, 0);
    test_peer_close(peer);
}

static void
a_second_follow_replaces_the_first(void **state)
{
    struct test_peer *peer = connect_peer(NULL);

    (void)state;
    write_events(30, (struct sample){.tenant_id = SAMPLE_TENANT});
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
    struct test_peer *peer = connect_peer(NULL);

    (void)state;
    write_events(30, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_follow(peer, 31, 5, NULL);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_string_equal(peer->detail, "follow.after: the log ends at 30");
    test_run("postgres", NULL, "UPDATE events.head SET first_kept = 12");
    stream_destroy(&fixture.stream);
    start_stream(false);
    stream_reach(fixture.stream, 30);
    test_peer_close(peer);
    peer = connect_peer(NULL);
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
    struct test_peer *peer = connect_peer(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        print_message("  %s\n", frames[i].what);
        test_peer_send(peer, frames[i].frame, frames[i].size);
        test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
        assert_int_not_equal(strlen(peer->detail), 0);
        assert_memory_equal(peer->detail, frames[i].detail, strlen(frames[i].detail));
    }
    assert_int_equal(zmq_send(peer->socket, "", 0, ZMQ_SNDMORE), 0);
    test_peer_send(peer, "x", 1);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    assert_string_equal(peer->detail, "frame: a message is one frame, not 2");
    /* The connection is as good as before. */
    write_events(3, (struct sample){.tenant_id = SAMPLE_TENANT});
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
    struct test_peer *peer = connect_peer(NULL);

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
    struct test_peer *peer = connect_peer(NULL);

    (void)state;
    test_peer_follow(peer, 0, 100000, NULL);
    test_peer_await_heartbeat(peer);
    test_peer_credit(peer, 1);
    test_peer_await_end(peer, WIRE__V1__CODE__INVALID_ARGUMENT);
    test_peer_close(peer);
    peer = connect_peer(NULL);
    test_peer_credit(peer, 1); /* as after a restart of the service */
    test_peer_await_end(peer, WIRE__V1__CODE__UNAVAILABLE);
    test_peer_close(peer);
}

static void
a_follower_that_does_not_read_is_cut_off_and_catches_up_later(void **state)
{
    struct test_peer *slow = connect_peer(NULL);
    struct test_peer *quick = connect_peer(NULL);

    (void)state;
    test_peer_follow(slow, 0, 100000, NULL);
    test_peer_follow(quick, 0, 100000, NULL);
    test_peer_await_heartbeat(slow);
    for (unsigned i = 1; i <= 4; i++) {
        write_events(250, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = 15000});
        test_peer_await_through(quick, i * 250);
    }
    assert_int_equal(quick->events, 1000);
    /* A peer that reads nothing at all is not answered by libzmq's heartbeats either; this one
     * reads, but libzmq has no room for it for more than slow_ms at a time. */
    test_peer_read_slowly(slow, 40);
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

static void
a_system_gets_its_tenants_events_and_public_ones_and_nothing_internal(void **state)
{
    struct test_peer *own = connect_peer(&fixture.own);
    struct test_peer *system;

    (void)state;
    publish_system(fixture.system.public_text, "{}", "NULL");
    write_events(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    write_events(3, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT});
    write_events(4, (struct sample){.tenant_id = SAMPLE_TENANT, .audience = "internal"});
    write_events(5, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT, .audience = "public"});
    test_peer_follow(own, 0, 1000, NULL);
    test_peer_await_through(own, 14);
    assert_int_equal(own->events, 14);
    system = connect_peer(&fixture.system);
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
    publish_system(fixture.system.public_text, "{org.samverka.need.}", "NULL");
    write_events(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    write_events(
        3, (struct sample){.tenant_id = SAMPLE_TENANT, .type = "org.samverka.person.added.v1"});
    system = connect_peer(&fixture.system);
    test_peer_follow_when_admitted(system, 0, 1000, NULL);
    test_peer_await_through(system, 5);
    assert_int_equal(system->events, 2);
    test_peer_close(system);
}

static void
a_revoked_key_hears_nothing_from_five_seconds_on(void **state)
{
    struct test_peer *system = connect_peer(&fixture.system);
    struct mono revoked;
    uint64_t events;

    (void)state;
    publish_system(fixture.system.public_text, "{}", "NULL");
    test_peer_follow_when_admitted(system, 0, 1000, NULL);
    write_events(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_through(system, 2);
    publish_system(NULL, NULL, NULL);
    revoked = clock_mono(clock_system());
    test_peer_await_end(system, WIRE__V1__CODE__PERMISSION_DENIED);
    assert_true(mono_micros_between(revoked, clock_mono(clock_system())) < 5000000);
    test_peer_follow(system, 0, 1000, NULL); /* the connection still stands */
    test_peer_await_end(system, WIRE__V1__CODE__PERMISSION_DENIED);
    events = system->events;
    write_events(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_await_silence(system, 300);
    assert_int_equal(system->events, events);
    test_peer_close(system);
    system = connect_peer(&fixture.system);
    test_peer_follow(system, 0, 1000, NULL);
    test_peer_await_silence(system, 500);
    assert_int_equal(system->frames, 0);
    test_peer_close(system);
}

static void
a_key_that_expires_is_ended_at_its_time(void **state)
{
    struct test_peer *system = connect_peer(&fixture.system);

    (void)state;
    publish_system(fixture.system.public_text, "{}", "now() + interval '3500 ms'");
    test_peer_follow_when_admitted(system, 0, 1000, NULL);
    write_events(1, (struct sample){.tenant_id = SAMPLE_TENANT});
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
    assert_ok(key_pair_create(&fixture.arena, &stranger));
    write_events(2, (struct sample){.tenant_id = SAMPLE_TENANT, .audience = "public"});
    peer = connect_peer(&stranger);
    test_peer_follow(peer, 0, 1000, NULL);
    test_peer_await_silence(peer, 500);
    assert_int_equal(peer->frames, 0);
    test_peer_close(peer);
    peer = connect_peer(NULL); /* no CURVE at all */
    test_peer_follow(peer, 0, 1000, NULL);
    test_peer_await_silence(peer, 500);
    assert_int_equal(peer->frames, 0);
    test_peer_close(peer);
}

static void *
stop_stream(void *argument)
{
    stream_destroy(&fixture.stream);
    return argument;
}

/* The peer reads meanwhile: libzmq drops what is unread when a connection closes. */
static void
a_stop_sends_followers_elsewhere(void **state)
{
    pthread_t thread;
    struct test_peer *peer = connect_peer(NULL);

    (void)state;
    write_events(2, (struct sample){.tenant_id = SAMPLE_TENANT});
    test_peer_follow(peer, 0, 1000, NULL);
    test_peer_await_through(peer, 2);
    sequencer_destroy(&fixture.sequencer);
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
#define OPEN(name) cmocka_unit_test_setup_teardown(name, start_open, stop)
#define CURVE(name) cmocka_unit_test_setup_teardown(name, start_curve, stop)
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
        CURVE(a_system_gets_its_tenants_events_and_public_ones_and_nothing_internal),
        CURVE(the_types_of_a_key_bind_what_it_may_follow),
        CURVE(a_revoked_key_hears_nothing_from_five_seconds_on),
        CURVE(a_key_that_expires_is_ended_at_its_time),
        CURVE(a_strangers_key_gets_no_frame),
    };

    return cmocka_run_group_tests_name("stream", tests, make_table, NULL);
}
