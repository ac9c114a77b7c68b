#include "common/wire/follow.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "events/v1/stream.pb-c.h"
#include "wire/v1/admin.pb-c.h"

#define PATIENCE_MS 5000
#define CREDIT 10

/* The stream's far end, played by hand on the test's own thread. */
struct stage {
    void *context;
    struct resolver *resolver;
    struct arena arena;
    void *router;
    char endpoint[256];
    struct follow *follow;
    uint8_t peer[256]; /* routing id of the last client heard */
    size_t peer_size;
};

static struct mono
soon(void)
{
    return mono_add_ms(clock_mono(clock_system()), PATIENCE_MS);
}

static bool
over(struct mono deadline)
{
    return mono_left_ms(deadline, clock_mono(clock_system())) == 0;
}

static void
open_router(struct stage *stage, const char *endpoint)
{
    const struct wire_curve off = {0};

    assert_int_equal(socket_bind(stage->context, ZMQ_ROUTER, endpoint, &off,
                                 (struct socket_limits){0}, &stage->arena, &stage->router,
                                 stage->endpoint)
                         .code,
                     CODE_OK);
}

static void
start_follow(struct stage *stage, const char *endpoints, uint64_t after)
{
    static const char *const types[] = {"org.samverka.need.", NULL};
    const struct follow_config config = {.zmq_context = stage->context,
                                         .resolver = stage->resolver,
                                         .clock = clock_system(),
                                         .endpoint_list = endpoints,
                                         .types = types,
                                         .after = after,
                                         .credit = CREDIT};

    assert_int_equal(follow_create(&config, &stage->arena, &stage->follow).code, CODE_OK);
}

static int
set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);

    stage->context = zmq_ctx_new();
    arena_init(&stage->arena, (size_t)64 << 20);
    assert_int_equal(resolver_create(&stage->arena, &stage->resolver).code, CODE_OK);
    open_router(stage, "tcp://127.0.0.1:*");
    *state = stage;
    return 0;
}

static int
tear_down(void **state)
{
    struct stage *stage = *state;

    follow_destroy(&stage->follow);
    socket_close(&stage->router);
    resolver_destroy(&stage->resolver);
    (void)zmq_ctx_term(stage->context);
    arena_fini(&stage->arena);
    free(stage);
    return 0;
}

/* A client's frame, if one is there; remembers who sent it. */
static const Events__V1__ClientFrame *
heard(struct stage *stage)
{
    uint8_t bytes[4096];
    ProtobufCMessage *frame;
    int size = zmq_recv(stage->router, stage->peer, sizeof stage->peer, ZMQ_DONTWAIT);

    if (size < 0)
        return NULL;
    stage->peer_size = (size_t)size;
    size = zmq_recv(stage->router, bytes, sizeof bytes, ZMQ_DONTWAIT);
    assert_true(size >= 0 && (size_t)size <= sizeof bytes);
    assert_int_equal(wire_unpack(&events__v1__client_frame__descriptor,
                                 (struct bytes){bytes, (size_t)size}, &stage->arena, &frame)
                         .code,
                     CODE_OK);
    return (const Events__V1__ClientFrame *)frame;
}

/* Lets the follower work until it has sent a frame of this kind. */
static const Events__V1__ClientFrame *
await(struct stage *stage, Events__V1__ClientFrame__FrameCase kind)
{
    const struct mono deadline = soon();

    while (!over(deadline)) {
        struct follow_batch batch;
        const Events__V1__ClientFrame *frame;
        const struct status status = follow_next(stage->follow, 10, &stage->arena, &batch);

        assert_true(status.code == CODE_DEADLINE_EXCEEDED || status.code == CODE_UNAVAILABLE);
        while ((frame = heard(stage)))
            if (frame->frame_case == kind)
                return frame;
    }
    fail_msg("the follower did not send what was waited for");
    return NULL;
}

static void
send_part(struct stage *stage, const ProtobufCMessage *message, int flags)
{
    struct bytes packed;

    assert_int_equal(wire_pack(message, &stage->arena, &packed).code, CODE_OK);
    assert_int_equal(zmq_send(stage->router, packed.data, packed.size, flags),
                     (int)packed.size);
}

static void
say(struct stage *stage, const Events__V1__ServerFrame *frame)
{
    assert_true(zmq_send(stage->router, stage->peer, stage->peer_size, ZMQ_SNDMORE) >= 0);
    send_part(stage, &frame->base, 0);
}

static void
fill_event(struct stage *stage, Io__Cloudevents__V1__CloudEvent *event, uint64_t position)
{
    Io__Cloudevents__V1__CloudEvent__AttributesEntry *entry =
        ARENA_NEW(&stage->arena, Io__Cloudevents__V1__CloudEvent__AttributesEntry);
    Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value =
        ARENA_NEW(&stage->arena, Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue);
    Io__Cloudevents__V1__CloudEvent__AttributesEntry **entries =
        ARENA_ARRAY(&stage->arena, Io__Cloudevents__V1__CloudEvent__AttributesEntry *, 1);

    io__cloudevents__v1__cloud_event__init(event);
    io__cloudevents__v1__cloud_event__attributes_entry__init(entry);
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(value);
    value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    value->ce_string = arena_printf(&stage->arena, "%019llu", (unsigned long long)position);
    entry->key = "sequence";
    entry->value = value;
    entries[0] = entry;
    event->type = "org.samverka.need.published.v1";
    event->attributes = entries;
    event->n_attributes = 1;
}

/* Sends the events of (after, through], saying that there are `claimed`. */
static void
send_batch(struct stage *stage, uint64_t after, uint64_t through, uint32_t claimed)
{
    Io__Cloudevents__V1__CloudEventBatch batch = IO__CLOUDEVENTS__V1__CLOUD_EVENT_BATCH__INIT;
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Batch head = EVENTS__V1__BATCH__INIT;
    const size_t count = through - after;

    batch.events = ARENA_ARRAY(&stage->arena, Io__Cloudevents__V1__CloudEvent *, count + 1);
    for (size_t i = 0; i < count; i++) {
        batch.events[i] = ARENA_NEW(&stage->arena, Io__Cloudevents__V1__CloudEvent);
        fill_event(stage, batch.events[i], after + i + 1);
    }
    batch.n_events = count;
    head.after = after;
    head.through = through;
    head.count = claimed;
    head.head = through + 5;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_BATCH;
    frame.batch = &head;
    assert_true(zmq_send(stage->router, stage->peer, stage->peer_size, ZMQ_SNDMORE) >= 0);
    send_part(stage, &frame.base, ZMQ_SNDMORE);
    send_part(stage, &batch.base, 0);
}

/* The next answer that is not merely a lack of one. */
static struct status
next(struct stage *stage, struct follow_batch *ret)
{
    const struct mono deadline = soon();
    struct status status;

    do
        status = follow_next(stage->follow, 10, &stage->arena, ret);
    while ((status.code == CODE_DEADLINE_EXCEEDED || status.code == CODE_UNAVAILABLE) &&
           !over(deadline));
    return status;
}

static void
a_follower_asks_for_what_comes_after_its_position(void **state)
{
    struct stage *stage = *state;
    const Events__V1__ClientFrame *frame;

    start_follow(stage, stage->endpoint, 41);
    frame = await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW);
    assert_int_equal(frame->follow->after, 41);
    assert_int_equal(frame->follow->credit, CREDIT);
    assert_int_equal(frame->follow->filter->n_types, 1);
    assert_string_equal(frame->follow->filter->types[0], "org.samverka.need.");
}

static void
events_arrive_in_order_and_half_the_credit_is_given_back(void **state)
{
    struct stage *stage = *state;
    struct follow_batch batch = {0};

    start_follow(stage, stage->endpoint, 0);
    (void)await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW);
    send_batch(stage, 0, 4, 4);
    send_batch(stage, 4, 7, 3);
    assert_int_equal(next(stage, &batch).code, CODE_OK);
    assert_int_equal(batch.after, 0);
    assert_int_equal(batch.through, 4);
    assert_int_equal(batch.head, 9);
    assert_int_equal(batch.events->n_events, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(event_position(batch.events->events[i]), i + 1);
    assert_int_equal(next(stage, &batch).code, CODE_OK);
    assert_int_equal(batch.through, 7);
    assert_int_equal(await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_CREDIT)->credit->events, 7);
}

static void
a_batch_that_does_not_join_is_asked_for_again(void **state)
{
    struct stage *stage = *state;
    struct follow_batch batch = {0};

    start_follow(stage, stage->endpoint, 0);
    (void)await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW);
    send_batch(stage, 0, 2, 2);
    assert_int_equal(next(stage, &batch).code, CODE_OK);
    send_batch(stage, 5, 6, 1);
    assert_int_equal(await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW)->follow->after, 2);
    assert_int_equal(follow_gaps(stage->follow), 1);
    send_batch(stage, 2, 6, 4);
    assert_int_equal(next(stage, &batch).code, CODE_OK);
    assert_int_equal(batch.after, 2);
    assert_int_equal(batch.events->n_events, 4);
}

static void
a_batch_with_another_count_than_its_head_says_is_refused(void **state)
{
    struct stage *stage = *state;
    struct follow_batch batch = {0};

    start_follow(stage, stage->endpoint, 0);
    (void)await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW);
    send_batch(stage, 0, 3, 2);
    assert_int_equal(next(stage, &batch).code, CODE_INVALID_ARGUMENT);
    assert_int_equal(await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW)->follow->after, 0);
    send_batch(stage, 0, 2, 3);
    assert_int_equal(next(stage, &batch).code, CODE_INVALID_ARGUMENT);
}

static void
a_position_that_is_gone_is_told_with_the_first_one_kept(void **state)
{
    struct stage *stage = *state;
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Ended ended = EVENTS__V1__ENDED__INIT;
    struct follow_batch batch = {0};

    start_follow(stage, stage->endpoint, 3);
    (void)await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW);
    ended.code = WIRE__V1__CODE__POSITION_GONE;
    ended.first_kept = 77;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_ENDED;
    frame.ended = &ended;
    say(stage, &frame);
    assert_int_equal(next(stage, &batch).code, CODE_POSITION_GONE);
    assert_int_equal(batch.through, 77);
}

static void
a_heartbeat_tells_the_head_and_holds_no_events(void **state)
{
    struct stage *stage = *state;
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Heartbeat beat = EVENTS__V1__HEARTBEAT__INIT;
    struct follow_batch batch = {0};

    start_follow(stage, stage->endpoint, 3);
    (void)await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW);
    beat.through = 3;
    beat.head = 12;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_HEARTBEAT;
    frame.heartbeat = &beat;
    say(stage, &frame);
    assert_int_equal(next(stage, &batch).code, CODE_OK);
    assert_null(batch.events);
    assert_int_equal(batch.through, 3);
    assert_int_equal(batch.head, 12);
}

static void
a_silent_instance_is_left_for_another(void **state)
{
    struct stage *stage = *state;
    char *both;

    /* Port 1 of loopback refuses: whichever is tried first, the live one is found. */
    both = arena_printf(&stage->arena, "tcp://127.0.0.1:1,%s", stage->endpoint);
    start_follow(stage, both, 8);
    assert_int_equal(await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW)->follow->after, 8);
}

static void
an_instance_that_ends_the_stream_is_asked_again_from_the_same_place(void **state)
{
    struct stage *stage = *state;
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Ended ended = EVENTS__V1__ENDED__INIT;
    struct follow_batch batch = {0};

    start_follow(stage, stage->endpoint, 0);
    (void)await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW);
    send_batch(stage, 0, 2, 2);
    assert_int_equal(next(stage, &batch).code, CODE_OK);
    ended.code = WIRE__V1__CODE__UNAVAILABLE;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_ENDED;
    frame.ended = &ended;
    say(stage, &frame);
    assert_int_equal(await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW)->follow->after, 2);
}

static void
no_instance_at_all_is_unavailable_and_does_not_block(void **state)
{
    struct stage *stage = *state;
    struct follow_batch batch;
    const struct mono start = clock_mono(clock_system());

    start_follow(stage, "tcp://127.0.0.1:1", 0);
    assert_int_equal(follow_next(stage->follow, 50, &stage->arena, &batch).code,
                     CODE_UNAVAILABLE);
    assert_true(mono_micros_between(start, clock_mono(clock_system())) < 1000000);
}

static void
the_later_of_two_sequence_attributes_counts(void **state)
{
    struct stage *stage = *state;
    Io__Cloudevents__V1__CloudEvent first, second;
    Io__Cloudevents__V1__CloudEvent__AttributesEntry *both[2];

    fill_event(stage, &first, 5);
    fill_event(stage, &second, 6);
    both[0] = first.attributes[0];
    both[1] = second.attributes[0];
    first.attributes = both;
    first.n_attributes = 2;
    assert_int_equal(event_position(&first), 6);
}

static void
the_data_of_another_type_is_refused(void **state)
{
    struct stage *stage = *state;
    Io__Cloudevents__V1__CloudEvent event = IO__CLOUDEVENTS__V1__CLOUD_EVENT__INIT;
    Google__Protobuf__Any any;
    ProtobufCMessage *data;

    google__protobuf__any__init(&any);
    event.data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA;
    event.proto_data = &any;
    any.type_url = arena_copy(&stage->arena, "type.googleapis.com/wire.v1.PingRequest");
    assert_int_equal(
        event_data(&event, &wire__v1__ping_request__descriptor, &stage->arena, &data).code,
        CODE_OK);
    assert_int_equal(
        event_data(&event, &wire__v1__ping_reply__descriptor, &stage->arena, &data).code,
        CODE_INVALID_ARGUMENT);
}

/* Listens where the router was; returns when the follower's socket has come back there, that
 * is, when it has noticed that the connection is lost. */
static void
await_return(const struct stage *stage)
{
    const struct mono deadline = soon();
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct pollfd came = {.fd = listener, .events = POLLIN};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)strtoul(strrchr(stage->endpoint, ':') + 1, NULL, 10));
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    while (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        assert_false(over(deadline)); /* libzmq closes its own a moment later */
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(poll(&came, 1, PATIENCE_MS), 1);
    (void)close(listener);
}

static void
what_came_before_the_connection_broke_is_taken_whole(void **state)
{
    enum { BATCHES = 300 };
    struct stage *stage = *state;
    const int linger_ms = PATIENCE_MS;

    start_follow(stage, stage->endpoint, 0);
    (void)await(stage, EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW);
    for (uint64_t i = 0; i < BATCHES; i++)
        send_batch(stage, i, i + 1, 1);
    assert_int_equal(zmq_setsockopt(stage->router, ZMQ_LINGER, &linger_ms, sizeof linger_ms),
                     0);
    socket_close(&stage->router);
    await_return(stage);
    /* libzmq looks for news of its connections at every hundredth part: also at a second one.
     */
    for (uint64_t i = 0; i < BATCHES; i++) {
        struct follow_batch batch;

        assert_int_equal(follow_next(stage->follow, 10, &stage->arena, &batch).code, CODE_OK);
        assert_int_equal(batch.through, i + 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_follower_asks_for_what_comes_after_its_position),
        TEST(events_arrive_in_order_and_half_the_credit_is_given_back),
        TEST(a_batch_that_does_not_join_is_asked_for_again),
        TEST(a_batch_with_another_count_than_its_head_says_is_refused),
        TEST(a_position_that_is_gone_is_told_with_the_first_one_kept),
        TEST(a_heartbeat_tells_the_head_and_holds_no_events),
        TEST(a_silent_instance_is_left_for_another),
        TEST(an_instance_that_ends_the_stream_is_asked_again_from_the_same_place),
        TEST(what_came_before_the_connection_broke_is_taken_whole),
        TEST(no_instance_at_all_is_unavailable_and_does_not_block),
        TEST(the_later_of_two_sequence_attributes_counts),
        TEST(the_data_of_another_type_is_refused),
    };

    return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
