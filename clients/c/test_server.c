#include "clients/c/test_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define SERVER(name) EVENTS__V1__SERVER_FRAME__FRAME_##name
#define EVENTS_MOST 64

typedef Io__Cloudevents__V1__CloudEvent__AttributesEntry Entry;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

void
test_server_open(struct test_server *server)
{
    size_t size = sizeof server->endpoint;
    const int zero = 0;

    *server = (struct test_server){.context = zmq_ctx_new()};
    assert_non_null(server->context);
    assert_non_null(server->socket = zmq_socket(server->context, ZMQ_ROUTER));
    assert_int_equal(zmq_setsockopt(server->socket, ZMQ_LINGER, &zero, sizeof zero), 0);
    assert_int_equal(zmq_bind(server->socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(server->socket, ZMQ_LAST_ENDPOINT, server->endpoint, &size),
                     0);
}

static void
forget_message(struct test_server *server)
{
    if (server->frame)
        protobuf_c_message_free_unpacked(&server->frame->base, NULL);
    free(server->body);
    server->frame = NULL;
    server->body = NULL;
    server->body_size = 0;
}

void
test_server_close(struct test_server *server)
{
    forget_message(server);
    assert_int_equal(zmq_close(server->socket), 0);
    assert_int_equal(zmq_ctx_term(server->context), 0);
}

static bool
more(void *socket)
{
    int value = 0;
    size_t size = sizeof value;

    return zmq_getsockopt(socket, ZMQ_RCVMORE, &value, &size) == 0 && value;
}

const Events__V1__ClientFrame *
test_server_take(struct test_server *server, int wait_ms)
{
    zmq_pollitem_t item = {.socket = server->socket, .events = ZMQ_POLLIN};
    zmq_msg_t part;
    int size;

    forget_message(server);
    if (zmq_poll(&item, 1, wait_ms) != 1)
        return NULL;
    size = zmq_recv(server->socket, server->peer, sizeof server->peer, 0);
    assert_true(size > 0 && more(server->socket));
    server->peer_size = (size_t)size;
    (void)zmq_msg_init(&part);
    assert_true(zmq_msg_recv(&part, server->socket, 0) >= 0);
    server->frame = (Events__V1__ClientFrame *)protobuf_c_message_unpack(
        &events__v1__client_frame__descriptor, NULL, zmq_msg_size(&part), zmq_msg_data(&part));
    assert_non_null(server->frame);
    if (more(server->socket)) {
        assert_true(zmq_msg_recv(&part, server->socket, 0) >= 0);
        server->body_size = zmq_msg_size(&part);
        assert_non_null(server->body = malloc(server->body_size + 1));
        memcpy(server->body, zmq_msg_data(&part), server->body_size);
    }
    (void)zmq_msg_close(&part);
    return server->frame;
}

void
test_server_say(struct test_server *server, const Events__V1__ServerFrame *frame,
                const void *body, size_t size)
{
    uint8_t packed[1024];
    const size_t packed_size = protobuf_c_message_pack(&frame->base, packed);

    assert_true(zmq_send(server->socket, server->peer, server->peer_size, ZMQ_SNDMORE) >= 0);
    assert_true(zmq_send(server->socket, packed, packed_size, body ? ZMQ_SNDMORE : 0) >= 0);
    if (body)
        assert_true(zmq_send(server->socket, body, size, 0) >= 0);
}

void
test_server_batch(struct test_server *server, uint64_t after, uint32_t count, uint64_t delivery)
{
    static uint8_t body[EVENTS_MOST * 1100];
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Batch batch = EVENTS__V1__BATCH__INIT;

    batch.after = after;
    batch.through = batch.head = after + count;
    batch.count = count;
    batch.delivery = delivery;
    frame.frame_case = SERVER(BATCH);
    frame.batch = &batch;
    test_server_say(server, &frame, body, test_batch(after, count, body));
}

void
test_server_heartbeat(struct test_server *server, uint64_t through)
{
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Heartbeat beat = EVENTS__V1__HEARTBEAT__INIT;

    beat.through = beat.head = through;
    frame.frame_case = SERVER(HEARTBEAT);
    frame.heartbeat = &beat;
    test_server_say(server, &frame, NULL, 0);
}

void
test_server_ended(struct test_server *server, Wire__V1__Code code, uint64_t first_kept)
{
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Ended ended = EVENTS__V1__ENDED__INIT;

    ended.code = code;
    ended.detail = "because of a test";
    ended.first_kept = first_kept;
    frame.frame_case = SERVER(ENDED);
    frame.ended = &ended;
    test_server_say(server, &frame, NULL, 0);
}

void
test_server_outcome(struct test_server *server, uint64_t number, Wire__V1__Code code,
                    uint64_t first)
{
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__AppendOutcome outcome = EVENTS__V1__APPEND_OUTCOME__INIT;

    outcome.source = "/test";
    outcome.batch_number = number;
    outcome.code = code;
    outcome.detail = "because of a test";
    outcome.first_position = outcome.last_position = first;
    frame.frame_case = SERVER(APPEND_OUTCOME);
    frame.append_outcome = &outcome;
    test_server_say(server, &frame, NULL, 0);
}

size_t
test_event(uint64_t position, uint64_t number, const char *subject, uint8_t into[1024])
{
    Io__Cloudevents__V1__CloudEvent event = IO__CLOUDEVENTS__V1__CLOUD_EVENT__INIT;
    char id[32], sequence[32], tenant_sequence[32];
    Entry entries[4], *pointers[4];
    Value values[4];
    const char *const names[] = {"subject", "tenantid", "sequence", "tenantsequence"};
    const char *const texts[] = {subject, TENANT, sequence, tenant_sequence};

    (void)snprintf(id, sizeof id, "event-%" PRIu64, position);
    (void)snprintf(sequence, sizeof sequence, "%019" PRIu64, position);
    (void)snprintf(tenant_sequence, sizeof tenant_sequence, "%019" PRIu64, number);
    for (size_t i = 0; i < 4; i++) {
        io__cloudevents__v1__cloud_event__attributes_entry__init(&entries[i]);
        io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(&values[i]);
        values[i].attr_case =
            IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
        values[i].ce_string = texts[i];
        entries[i].key = names[i];
        entries[i].value = &values[i];
        pointers[i] = &entries[i];
    }
    event.id = id;
    event.source = "/test";
    event.spec_version = "1.0";
    event.type = "org.samverka.need.published.v1";
    event.attributes = pointers;
    event.n_attributes = 4;
    event.data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_TEXT_DATA;
    event.text_data = "text";
    return protobuf_c_message_pack(&event.base, into);
}

size_t
test_batch(uint64_t after, uint32_t count, uint8_t *into)
{
    size_t at = 0;

    assert_true(count <= EVENTS_MOST);
    for (uint32_t i = 1; i <= count; i++) {
        uint8_t packed[1024];
        const size_t size = test_event(after + i, after + i, "s", packed);

        into[at++] = 0x0a;
        into[at++] = (uint8_t)(size | 0x80);
        into[at++] = (uint8_t)(size >> 7);
        memcpy(into + at, packed, size);
        at += size;
    }
    return at;
}
