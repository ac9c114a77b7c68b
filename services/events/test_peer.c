#include "services/events/test_peer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define ADMISSION_MS 250 /* between two tries */

static void
join(struct test_peer *peer)
{
    const struct wire_curve curve = {
        .on = peer->key != NULL, .own = peer->key, .server_public = peer->server_public};
    /* Small, so that a peer that does not read is noticed. */
    const struct socket_limits limits = {.receive_high_water = 4};
    const int receive_bytes = 64 << 10;

    assert_ok(
        socket_connect(peer->context, ZMQ_DEALER, NULL, &curve, limits, NULL, &peer->socket));
    assert_int_equal(
        zmq_setsockopt(peer->socket, ZMQ_RCVBUF, &receive_bytes, sizeof receive_bytes), 0);
    assert_ok(socket_join(peer->socket, peer->endpoint, NULL));
}

struct test_peer
test_peer_connect(void *context, const char *endpoint, const struct key_pair *key,
                  const char *server_public)
{
    struct test_peer peer = {
        .context = context, .endpoint = endpoint, .key = key, .server_public = server_public};

    join(&peer);
    return peer;
}

void
test_peer_close(struct test_peer *peer)
{
    socket_close(&peer->socket);
}

void
test_peer_send(struct test_peer *peer, const void *frame, size_t size)
{
    zmq_pollitem_t item = {.socket = peer->socket, .events = ZMQ_POLLOUT};

    (void)zmq_poll(&item, 1, 1000); /* a stranger's connection never stands */
    (void)zmq_send(peer->socket, frame, size, ZMQ_DONTWAIT);
    peer->ended = false;
}

static void
send_frame(struct test_peer *peer, const Events__V1__ClientFrame *frame)
{
    const size_t size = protobuf_c_message_get_packed_size(&frame->base);
    uint8_t *packed = malloc(size + 1);

    assert_non_null(packed);
    test_peer_send(peer, packed, protobuf_c_message_pack(&frame->base, packed));
    free(packed);
}

void
test_peer_follow(struct test_peer *peer, uint64_t after, uint32_t credit,
                 const Events__V1__Filter *filter)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Follow follow = EVENTS__V1__FOLLOW__INIT;
    Events__V1__Filter copy = EVENTS__V1__FILTER__INIT;

    if (filter)
        copy = *filter;
    follow.after = after;
    follow.credit = credit;
    follow.filter = filter ? &copy : NULL;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW;
    frame.follow = &follow;
    /* What is still under way of a former follow must not be counted. */
    if (peer->frames)
        test_peer_await_silence(peer, 50);
    if (peer->through > after)
        peer->events = 0;
    peer->events = after == peer->through ? peer->events : 0;
    peer->through = peer->last_position = after;
    send_frame(peer, &frame);
}

void
test_peer_credit(struct test_peer *peer, uint32_t events)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Credit credit = EVENTS__V1__CREDIT__INIT;

    credit.events = events;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_CREDIT;
    frame.credit = &credit;
    send_frame(peer, &frame);
}

void
test_peer_unfollow(struct test_peer *peer)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Unfollow unfollow = EVENTS__V1__UNFOLLOW__INIT;

    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_UNFOLLOW;
    frame.unfollow = &unfollow;
    send_frame(peer, &frame);
}

void
test_peer_append(struct test_peer *peer, const char *tenant_id, const char *source,
                 uint64_t batch_number, struct bytes batch)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Append append = EVENTS__V1__APPEND__INIT;
    zmq_pollitem_t item = {.socket = peer->socket, .events = ZMQ_POLLOUT};
    uint8_t packed[1024];

    append.tenant_id = tenant_id;
    append.source = source;
    append.batch_number = batch_number;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_APPEND;
    frame.append = &append;
    assert_in_range(protobuf_c_message_get_packed_size(&frame.base), 1, sizeof packed);
    assert_int_equal(zmq_poll(&item, 1, TEST_MS), 1);
    assert_true(zmq_send(peer->socket, packed, protobuf_c_message_pack(&frame.base, packed),
                         ZMQ_SNDMORE) >= 0);
    assert_true(zmq_send(peer->socket, batch.data, batch.size, 0) >= 0);
}

/* Without unpacking: a peer that is slow by itself loses its connection to the heartbeats. */
static uint64_t
position_of(struct bytes event)
{
    static const char name[] = "\x0a\x08sequence\x12\x15\x1a\x13";
    const char *found = memmem(event.data, event.size, name, sizeof name - 1);
    char digits[20] = "";

    assert_non_null(found);
    memcpy(digits, found + sizeof name - 1, 19);
    return strtoull(digits, NULL, 10);
}

static void
take_events(struct test_peer *peer, struct bytes batch, uint32_t count)
{
    struct bytes event;
    bool broken = false;
    uint32_t found = 0;

    while (packed_next(&batch, &event, &broken)) {
        const uint64_t position = position_of(event);

        if (position <= peer->last_position || position > peer->through)
            peer->gaps++;
        peer->last_position = position;
        found++;
    }
    assert_false(broken);
    assert_int_equal(found, count);
    peer->events += found;
}

static void
take_frame(struct test_peer *peer, struct bytes head, struct bytes body, struct arena *arena)
{
    const Events__V1__ServerFrame *frame;
    ProtobufCMessage *message;

    assert_ok(wire_unpack(&events__v1__server_frame__descriptor, head, arena, &message));
    frame = (const Events__V1__ServerFrame *)message;
    peer->frames++;
    switch (frame->frame_case) {
    case EVENTS__V1__SERVER_FRAME__FRAME_BATCH:
        peer->gaps += frame->batch->after != peer->through;
        peer->through = frame->batch->through;
        peer->head = frame->batch->head;
        take_events(peer, body, frame->batch->count);
        break;
    case EVENTS__V1__SERVER_FRAME__FRAME_HEARTBEAT:
        peer->gaps += frame->heartbeat->through != peer->through;
        peer->head = frame->heartbeat->head;
        peer->heartbeats++;
        break;
    case EVENTS__V1__SERVER_FRAME__FRAME_ENDED:
        peer->ended = true;
        peer->code = frame->ended->code;
        peer->ended_through = frame->ended->through;
        peer->first_kept = frame->ended->first_kept;
        (void)snprintf(peer->detail, sizeof peer->detail, "%s", frame->ended->detail);
        break;
    case EVENTS__V1__SERVER_FRAME__FRAME_APPEND_OUTCOME:
        peer->outcomes++;
        peer->code = frame->append_outcome->code;
        peer->outcome_batch = frame->append_outcome->batch_number;
        peer->outcome_first = frame->append_outcome->first_position;
        peer->outcome_last = frame->append_outcome->last_position;
        peer->outcome_duplicates = frame->append_outcome->duplicates;
        (void)snprintf(peer->detail, sizeof peer->detail, "%s", frame->append_outcome->detail);
        break;
    default:
        fail_msg("a frame of no kind");
    }
}

/* One message, if it comes in time. */
static bool
receive(struct test_peer *peer, struct mono deadline)
{
    zmq_pollitem_t item = {.socket = peer->socket, .events = ZMQ_POLLIN};
    zmq_msg_t parts[2];
    struct arena arena;
    int more = 0;
    size_t size = sizeof more;

    if (zmq_poll(&item, 1, mono_left_ms(deadline, clock_mono(clock_system()))) <= 0)
        return false;
    arena_init(&arena, (size_t)64 << 20);
    assert_int_equal(zmq_msg_init(&parts[0]) | zmq_msg_init(&parts[1]), 0);
    assert_true(zmq_msg_recv(&parts[0], peer->socket, ZMQ_DONTWAIT) >= 0);
    assert_int_equal(zmq_getsockopt(peer->socket, ZMQ_RCVMORE, &more, &size), 0);
    if (more)
        assert_true(zmq_msg_recv(&parts[1], peer->socket, ZMQ_DONTWAIT) >= 0);
    take_frame(peer, (struct bytes){zmq_msg_data(&parts[0]), zmq_msg_size(&parts[0])},
               (struct bytes){zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1])}, &arena);
    (void)zmq_msg_close(&parts[0]);
    (void)zmq_msg_close(&parts[1]);
    arena_fini(&arena);
    return true;
}

void
test_peer_await_through(struct test_peer *peer, uint64_t position)
{
    struct mono deadline = in_ms(TEST_MS);

    while (peer->through < position) {
        const uint64_t before = peer->through;

        if (!receive(peer, deadline))
            fail_msg("through %" PRIu64 ", not %" PRIu64 "; %u heartbeats", peer->through,
                     position, peer->heartbeats);
        if (peer->ended)
            fail_msg("ended: %d %s", (int)peer->code, peer->detail);
        if (peer->through != before)
            deadline = in_ms(TEST_MS);
    }
}

void
test_peer_await_heartbeat(struct test_peer *peer)
{
    const struct mono deadline = in_ms(TEST_MS);
    const unsigned before = peer->heartbeats;

    while (peer->heartbeats == before)
        assert_true(receive(peer, deadline));
}

void
test_peer_await_any_end(struct test_peer *peer)
{
    const struct mono deadline = in_ms(TEST_MS);

    while (!peer->ended)
        if (!receive(peer, deadline))
            fail_msg("no end");
}

void
test_peer_await_end(struct test_peer *peer, Wire__V1__Code code)
{
    test_peer_await_any_end(peer);
    if (peer->code != code)
        fail_msg("ended with %d, not %d: %s", (int)peer->code, (int)code, peer->detail);
}

void
test_peer_await_outcome(struct test_peer *peer, Wire__V1__Code code)
{
    const struct mono deadline = in_ms(TEST_MS);
    const unsigned before = peer->outcomes;

    while (peer->outcomes == before)
        if (!receive(peer, deadline))
            fail_msg("no outcome");
    if (peer->code != code)
        fail_msg("outcome %d, not %d: %s", (int)peer->code, (int)code, peer->detail);
}

void
test_peer_await_silence(struct test_peer *peer, int ms)
{
    const struct mono deadline = in_ms(ms);

    while (receive(peer, deadline))
        ;
}

void
test_peer_read_slowly(struct test_peer *peer, struct test_peer *other, int pause_ms)
{
    const struct mono deadline = in_ms(3 * TEST_MS);

    while (!peer->ended) {
        assert_true(receive(peer, deadline));
        test_peer_await_silence(other, pause_ms);
    }
}

void
test_peer_follow_when_admitted(struct test_peer *peer, uint64_t after, uint32_t credit,
                               const Events__V1__Filter *filter)
{
    const struct mono deadline = in_ms(TEST_MS);

    for (;;) {
        peer->frames = 0;
        peer->ended = false;
        test_peer_follow(peer, after, credit, filter);
        (void)receive(peer, in_ms(ADMISSION_MS));
        if (peer->frames && !peer->ended)
            return;
        if (mono_left_ms(deadline, clock_mono(clock_system())) == 0)
            fail_msg("the key was never admitted");
        socket_close(&peer->socket);
        join(peer);
    }
}
