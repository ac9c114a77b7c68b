#include "common/wire/rpc_server.h"

#include <stdlib.h>

#include "common/wire/rpc_stage_test.h"

/* A client without the library: frames by hand. */
struct raw {
    void *context, *socket;
};

static void
raw_start(struct raw *raw, const char *endpoint)
{
    const int linger = 0, patience = STAGE_PATIENCE_MS;

    raw->context = zmq_ctx_new();
    raw->socket = zmq_socket(raw->context, ZMQ_DEALER);
    assert_int_equal(zmq_setsockopt(raw->socket, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(zmq_setsockopt(raw->socket, ZMQ_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(zmq_connect(raw->socket, endpoint), 0);
}

static void
raw_stop(struct raw *raw)
{
    (void)zmq_close(raw->socket);
    (void)zmq_ctx_term(raw->context);
}

static void
raw_send(struct raw *raw, Wire__V1__RequestHead head, const void *body, size_t body_size)
{
    uint8_t *packed;
    size_t size;

    head.body = (ProtobufCBinaryData){body_size, (uint8_t *)(uintptr_t)body}; /* only read */
    size = protobuf_c_message_get_packed_size(&head.base);
    packed = malloc(size);
    assert_non_null(packed);
    (void)protobuf_c_message_pack(&head.base, packed);
    assert_int_equal(zmq_send(raw->socket, packed, size, 0), size);
    free(packed);
}

/* The next answer's code; its field and id are copied. */
static int
raw_answer(struct raw *raw, char field[64], char id[UUID_SIZE])
{
    uint8_t frame[4096];
    Wire__V1__ReplyHead *head;
    ProtobufCMessage *message;
    int size = zmq_recv(raw->socket, frame, sizeof frame, 0), code;

    assert_true(size > 0);
    message =
        protobuf_c_message_unpack(&wire__v1__reply_head__descriptor, NULL, (size_t)size, frame);
    assert_non_null(message);
    head = (Wire__V1__ReplyHead *)message;
    code = (int)head->code;
    if (field)
        (void)snprintf(field, 64, "%s", head->field);
    if (id)
        (void)snprintf(id, UUID_SIZE, "%s", head->id);
    protobuf_c_message_free_unpacked(message, NULL);
    return code;
}

static const char ID[] = "0192d5b0-0000-7000-8000-000000000001";

static Wire__V1__RequestHead
good_head(void)
{
    Wire__V1__RequestHead head = WIRE__V1__REQUEST_HEAD__INIT;

    head.id = ID;
    head.method = PING;
    head.attempt = 1;
    head.remaining_ms = 5000;
    return head;
}

static void
heads_that_break_a_rule_are_refused_by_field(void **state)
{
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    struct stage_server server;
    struct raw raw;
    char field[64], id[UUID_SIZE], key[200];
    Wire__V1__RequestHead head;

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    raw_start(&raw, rpc_server_endpoint(server.server));
#define REFUSED(change, code_wanted, field_wanted)                                             \
    do {                                                                                       \
        head = good_head();                                                                    \
        change;                                                                                \
        raw_send(&raw, head, "", 0);                                                           \
        assert_int_equal(raw_answer(&raw, field, id), code_wanted);                            \
        assert_string_equal(field, field_wanted);                                              \
        assert_string_equal(id, ID);                                                           \
    } while (0)
    REFUSED((void)head, CODE_OK, "");
    REFUSED(head.method = "wire.v1.Admin/Nothing", CODE_UNIMPLEMENTED, "");
    REFUSED(head.method = "", CODE_INVALID_ARGUMENT, "method");
    REFUSED(head.remaining_ms = 0, CODE_INVALID_ARGUMENT, "remaining_ms");
    REFUSED(head.remaining_ms = 60001, CODE_INVALID_ARGUMENT, "remaining_ms");
    REFUSED(head.language = "de", CODE_INVALID_ARGUMENT, "language");
    REFUSED(head.traceparent = "00-4bf9", CODE_INVALID_ARGUMENT, "traceparent");
    REFUSED(head.idempotency_key = "with space", CODE_INVALID_ARGUMENT, "idempotency_key");
    memset(key, 'k', sizeof key);
    key[129] = '\0';
    REFUSED(head.idempotency_key = key, CODE_INVALID_ARGUMENT, "idempotency_key");
    principal.tenant_id = "x'; DROP TABLE";
    REFUSED(head.principal = &principal, CODE_INVALID_ARGUMENT, "principal.tenant_id");
    REFUSED(head.language = "\xff", CODE_INVALID_ARGUMENT, "language");
    raw_stop(&raw);
    stage_server_stop(&server);
}

static void
bodies_that_break_the_guard_are_refused(void **state)
{
    Wire__V1__RequestHead head = good_head();
    static uint8_t large[WIRE_MESSAGE_BYTES + 1];
    struct stage_server server;
    struct raw raw;

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    raw_start(&raw, rpc_server_endpoint(server.server));
    raw_send(&raw, head,
             "\x0a\x05"
             "ab",
             4); /* truncated */
    assert_int_equal(raw_answer(&raw, NULL, NULL), CODE_INVALID_ARGUMENT);
    raw_send(&raw, head, "\x08\x01", 2); /* bytes as a number */
    assert_int_equal(raw_answer(&raw, NULL, NULL), CODE_INVALID_ARGUMENT);
    raw_send(&raw, head, large, sizeof large);
    assert_int_equal(raw_answer(&raw, NULL, NULL), CODE_TOO_LARGE);
    assert_int_equal(atomic_load(&server.begun), 0);
    raw_stop(&raw);
    stage_server_stop(&server);
}

static void
messages_that_are_no_request_are_dropped_and_counted(void **state)
{
    Wire__V1__RequestHead head = good_head();
    struct stage_server server;
    struct raw raw;

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    raw_start(&raw, rpc_server_endpoint(server.server));
    assert_int_equal(zmq_send(raw.socket, "alone", 5, 0), 5);
    assert_int_equal(zmq_send(raw.socket, "\xff\xff", 2, ZMQ_SNDMORE), 2);
    assert_int_equal(zmq_send(raw.socket, "", 0, 0), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(zmq_send(raw.socket, "x", 1, i < 19 ? ZMQ_SNDMORE : 0), 1);
    head.id = "not-a-uuid";
    raw_send(&raw, head, "", 0);
    head.id = ID;
    raw_send(&raw, head, "", 0); /* the server lives, and answers this one alone */
    assert_int_equal(raw_answer(&raw, NULL, NULL), CODE_OK);
    assert_int_equal(rpc_server_stats(server.server).malformed, 4);
    raw_stop(&raw);
    stage_server_stop(&server);
}

static void
a_request_whose_time_passed_in_the_line_is_not_run(void **state)
{
    Wire__V1__RequestHead head = good_head();
    const struct mono deadline = stage_soon();
    struct stage_server server;
    struct raw raw;

    (void)state;
    stage_server_start(&server, (struct stage_options){.workers = 1});
    raw_start(&raw, rpc_server_endpoint(server.server));
    raw_send(&raw, head, "\x0a\x01g", 3);
    while (atomic_load(&server.begun) == 0 && !stage_over(deadline))
        (void)poll(NULL, 0, 1);
    head.remaining_ms = 1;
    raw_send(&raw, head, "", 0);
    while (rpc_server_stats(server.server).queue_depth == 0 && !stage_over(deadline))
        (void)poll(NULL, 0, 1);
    (void)poll(NULL, 0, 5); /* its millisecond passes */
    stage_open_gate(&server);
    assert_int_equal(raw_answer(&raw, NULL, NULL), CODE_OK);
    assert_int_equal(raw_answer(&raw, NULL, NULL), CODE_DEADLINE_EXCEEDED);
    assert_int_equal(atomic_load(&server.begun), 1);
    raw_stop(&raw);
    stage_server_stop(&server);
}

static void
a_draining_server_refuses_new_work_and_finishes_the_old(void **state)
{
    Wire__V1__RequestHead head = good_head();
    const struct mono deadline = stage_soon();
    struct stage_server server;
    struct raw raw;

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    raw_start(&raw, rpc_server_endpoint(server.server));
    raw_send(&raw, head, "\x0a\x01g", 3);
    while (atomic_load(&server.begun) == 0 && !stage_over(deadline))
        (void)poll(NULL, 0, 1);
    rpc_server_drain(server.server);
    assert_false(rpc_server_idle(server.server));
    raw_send(&raw, head, "", 0);
    assert_int_equal(raw_answer(&raw, NULL, NULL), CODE_UNAVAILABLE);
    stage_open_gate(&server);
    assert_int_equal(raw_answer(&raw, NULL, NULL), CODE_OK);
    while (!rpc_server_idle(server.server) && !stage_over(deadline))
        (void)poll(NULL, 0, 1);
    assert_true(rpc_server_idle(server.server));
    raw_stop(&raw);
    stage_server_stop(&server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_that_break_a_rule_are_refused_by_field),
        cmocka_unit_test(bodies_that_break_the_guard_are_refused),
        cmocka_unit_test(messages_that_are_no_request_are_dropped_and_counted),
        cmocka_unit_test(a_request_whose_time_passed_in_the_line_is_not_run),
        cmocka_unit_test(a_draining_server_refuses_new_work_and_finishes_the_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
