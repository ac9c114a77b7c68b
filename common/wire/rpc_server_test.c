#include "common/wire/rpc_server.h"

#include "common/wire/rpc_stage_test.h"

static struct key_pair server_key, friend_key, stranger_key, system_key;
static struct arena keys_arena;

static int
make_keys(void **state)
{
    (void)state;
    arena_init(&keys_arena, ARENA_CALL_BYTES);
    return failed(key_pair_create(&keys_arena, &server_key)) ||
           failed(key_pair_create(&keys_arena, &friend_key)) ||
           failed(key_pair_create(&keys_arena, &stranger_key)) ||
           failed(key_pair_create(&keys_arena, &system_key));
}

static int
forget_keys(void **state)
{
    (void)state;
    arena_fini(&keys_arena);
    return 0;
}

/* Known: a service and an outside system. */
static struct stage_options
with_curve(struct zap_peer peers[2])
{
    (void)snprintf(peers[0].name, sizeof peers[0].name, "service:matching");
    memcpy(peers[0].key, friend_key.public_text, sizeof peers[0].key);
    peers[0].expires_unix_ms = 0;
    (void)snprintf(peers[1].name, sizeof peers[1].name, "system:outside");
    memcpy(peers[1].key, system_key.public_text, sizeof peers[1].key);
    peers[1].expires_unix_ms = 0;
    return (struct stage_options){.key = &server_key, .peers = peers, .peer_count = 2};
}

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
a_request_is_answered_by_a_worker(void **state)
{
    struct stage_server server;
    struct stage_client client = {0};
    const char *reply;

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    stage_client_start(&client, rpc_server_endpoint(server.server), NULL, 0);
    assert_int_equal(stage_ping(&client, "hello", NULL, &reply).code, CODE_OK);
    assert_string_equal(reply, "hello");
    assert_int_equal(atomic_load(&server.begun), 1);
    stage_client_stop(&client);
    stage_server_stop(&server);
}

static void
a_request_is_answered_on_the_loop(void **state)
{
    struct stage_server server;
    struct stage_client client = {0};
    const char *reply;

    (void)state;
    stage_server_start(&server, (struct stage_options){.on_loop = true});
    stage_client_start(&client, rpc_server_endpoint(server.server), NULL, 0);
    assert_int_equal(stage_ping(&client, "hello", NULL, &reply).code, CODE_OK);
    assert_string_equal(reply, "hello");
    stage_client_stop(&client);
    stage_server_stop(&server);
}

static void
failures_carry_their_code_detail_and_field_but_no_secret(void **state)
{
    struct stage_server server;
    struct stage_client client = {0};
    struct status status;

    (void)state;
    log_set_fd(-1);
    stage_server_start(&server, (struct stage_options){0});
    stage_client_start(&client, rpc_server_endpoint(server.server), NULL, 0);
    status = stage_ping(&client, "n", NULL, NULL);
    assert_int_equal(status.code, CODE_NOT_FOUND);
    assert_string_equal(status.detail, "no such thing");
    status = stage_ping(&client, "f", NULL, NULL);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "skills[3].name");
    status = stage_ping(&client, "i", NULL, NULL);
    assert_int_equal(status.code, CODE_INTERNAL);
    assert_null(strstr(status.detail, "secret"));
    stage_client_stop(&client);
    stage_server_stop(&server);
    log_set_fd(1);
}

static void
a_known_key_speaks_for_others_and_a_strangers_is_refused(void **state)
{
    Wire__V1__Principal person = WIRE__V1__PRINCIPAL__INIT;
    const struct rpc_options as_person = {.principal = &person};
    struct rpc_options soon = {0};
    struct zap_peer peers[2];
    struct stage_server server;
    struct stage_client client = {.pair = friend_key}, stranger = {.pair = stranger_key};
    const char *reply;

    (void)state;
    log_set_fd(-1);
    person.subject_id = "account-1";
    stage_server_start(&server, with_curve(peers));
    stage_client_start(&client, rpc_server_endpoint(server.server), server_key.public_text, 0);
    assert_int_equal(stage_ping(&client, "s", &as_person, &reply).code, CODE_OK);
    assert_string_equal(reply, "account-1");
    assert_int_equal(stage_ping(&client, "s", NULL, &reply).code, CODE_OK);
    assert_string_equal(reply, "matching");
    assert_int_equal(stage_ping(&client, "p", NULL, &reply).code, CODE_OK);
    assert_string_equal(reply, "service:matching");
    stage_client_start(&stranger, rpc_server_endpoint(server.server), server_key.public_text,
                       0);
    soon.deadline = mono_add_ms(clock_mono(clock_system()), 500);
    assert_int_equal(stage_ping(&stranger, "s", &soon, NULL).code, CODE_UNAVAILABLE);
    assert_true(zap_refused(server.zap) > 0);
    assert_int_equal(atomic_load(&server.begun), 3);
    stage_client_stop(&stranger);
    stage_client_stop(&client);
    stage_server_stop(&server);
    log_set_fd(1);
}

static void
an_outside_system_cannot_speak_for_others(void **state)
{
    Wire__V1__Principal person = WIRE__V1__PRINCIPAL__INIT;
    const struct rpc_options as_person = {.principal = &person};
    struct zap_peer peers[2];
    struct stage_server server;
    struct stage_client client = {.pair = system_key};
    const char *reply;

    (void)state;
    person.subject_id = "account-1";
    stage_server_start(&server, with_curve(peers));
    stage_client_start(&client, rpc_server_endpoint(server.server), server_key.public_text, 0);
    assert_int_equal(stage_ping(&client, "s", &as_person, &reply).code, CODE_OK);
    assert_string_equal(reply, "outside");
    stage_client_stop(&client);
    stage_server_stop(&server);
}

static void
a_revoked_key_is_not_served_on_its_old_connection(void **state)
{
    struct rpc_options soon = {0};
    struct zap_peer peers[2];
    struct stage_server server;
    struct stage_client client = {.pair = friend_key};

    (void)state;
    stage_server_start(&server, with_curve(peers));
    stage_client_start(&client, rpc_server_endpoint(server.server), server_key.public_text, 0);
    assert_int_equal(stage_ping(&client, "x", NULL, NULL).code, CODE_OK);
    assert_int_equal(zap_set_peers(server.zap, "services", &peers[1], 1).code, CODE_OK);
    soon.deadline = mono_add_ms(clock_mono(clock_system()), 300);
    assert_int_equal(stage_ping(&client, "x", &soon, NULL).code, CODE_DEADLINE_EXCEEDED);
    assert_int_equal(atomic_load(&server.begun), 1);
    stage_client_stop(&client);
    stage_server_stop(&server);
}

static void
a_deadline_is_inherited_and_never_longer_than_the_callers(void **state)
{
    struct rpc_options options = {.deadline = mono_add_ms(clock_mono(clock_system()), 3000)};
    struct stage_server server;
    struct stage_client client = {0};
    const char *reply;
    long left;

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    stage_client_start(&client, rpc_server_endpoint(server.server), NULL, 0);
    assert_int_equal(stage_ping(&client, "d", &options, &reply).code, CODE_OK);
    left = strtol(reply, NULL, 10);
    assert_in_range(left, 1, 3000);
    stage_client_stop(&client);
    stage_server_stop(&server);
}

static void
a_call_without_a_trace_gets_one(void **state)
{
    static const char given[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const struct rpc_options options = {.traceparent = given};
    struct stage_server server;
    struct stage_client client = {0};
    const char *reply;

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    stage_client_start(&client, rpc_server_endpoint(server.server), NULL, 0);
    assert_int_equal(stage_ping(&client, "t", NULL, &reply).code, CODE_OK);
    assert_int_equal(strlen(reply), 55);
    assert_int_equal(stage_ping(&client, "t", &options, &reply).code, CODE_OK);
    assert_string_equal(reply, given);
    stage_client_stop(&client);
    stage_server_stop(&server);
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
count_code(void *context, const struct rpc_answer *answer)
{
    uint32_t *counts =
        context; /* [0] OK, [1] RESOURCE_EXHAUSTED, [2] UNAVAILABLE, [3] others */

    counts[answer->status.code == CODE_OK                   ? 0
           : answer->status.code == CODE_RESOURCE_EXHAUSTED ? 1
           : answer->status.code == CODE_UNAVAILABLE        ? 2
                                                            : 3]++;
    if (answer->status.code == CODE_RESOURCE_EXHAUSTED)
        assert_true(answer->head->retry_after_ms > 0);
}

static void
start_ping(struct stage_client *client, const char *payload, uint32_t *counts)
{
    uint8_t packed[64] = {0x0a, (uint8_t)strlen(payload)};
    const struct rpc_options options = {.deadline = stage_soon()};

    memcpy(packed + 2, payload, strlen(payload));
    assert_int_equal(rpc_start(client->client, PING,
                               (struct bytes){packed, 2 + strlen(payload)}, &options,
                               count_code, counts, &client->arena)
                         .code,
                     CODE_OK);
}

static void
turn_until(struct stage_client *client, const uint32_t *counts, uint32_t wanted)
{
    const struct mono deadline = stage_soon();

    while (counts[0] + counts[1] + counts[2] + counts[3] < wanted && !stage_over(deadline))
        stage_client_turn(client, 100);
}

static void
a_full_line_refuses_with_advice(void **state)
{
    struct stage_server server;
    struct stage_client client = {0};
    uint32_t counts[4] = {0};
    const struct mono deadline = stage_soon();

    (void)state;
    stage_server_start(&server, (struct stage_options){.workers = 1, .queue_limit = 3});
    stage_client_start(&client, rpc_server_endpoint(server.server), NULL, 0);
    start_ping(&client, "g", counts);
    while (atomic_load(&server.begun) == 0 && !stage_over(deadline))
        stage_client_turn(&client, 10);
    for (int i = 0; i < 5; i++)
        start_ping(&client, "x", counts);
    turn_until(&client, counts, 2);
    assert_int_equal(counts[1], 2); /* one runs, three wait, two are refused */
    assert_int_equal(rpc_server_stats(server.server).queue_depth, 3);
    stage_open_gate(&server);
    turn_until(&client, counts, 6);
    assert_int_equal(counts[0], 4);
    stage_client_stop(&client);
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

static void
add_one(void *worker_context, void *argument)
{
    assert_non_null(worker_context);
    atomic_fetch_add((_Atomic uint32_t *)argument, 1);
}

static void
posted_jobs_run_on_workers_and_the_line_bounds_them(void **state)
{
    const struct mono deadline = stage_soon();
    struct stage_server server;
    _Atomic uint32_t ran = 0;
    uint32_t accepted = 0;

    (void)state;
    stage_server_start(&server, (struct stage_options){.queue_limit = 5});
    for (int i = 0; i < 50; i++)
        accepted += !failed(rpc_server_post(server.server, add_one, &ran));
    assert_in_range(accepted, 5, 50);
    while (atomic_load(&ran) < accepted && !stage_over(deadline))
        (void)poll(NULL, 0, 1);
    assert_int_equal(atomic_load(&ran), accepted);
    stage_server_stop(&server);
}

static void
methods_are_counted(void **state)
{
    Wire__V1__StatsReply reply = WIRE__V1__STATS_REPLY__INIT;
    struct stage_server server;
    struct stage_client client = {0};

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    stage_client_start(&client, rpc_server_endpoint(server.server), NULL, 0);
    assert_int_equal(stage_ping(&client, "x", NULL, NULL).code, CODE_OK);
    assert_int_equal(stage_ping(&client, "n", NULL, NULL).code, CODE_NOT_FOUND);
    assert_int_equal(rpc_server_method_stats(server.server, &client.arena, &reply).code,
                     CODE_OK);
    assert_int_equal(reply.n_methods, 4);
    for (size_t i = 0; i < reply.n_methods; i++) {
        const bool ping = strcmp(reply.methods[i]->method, PING) == 0;

        assert_int_equal(reply.methods[i]->calls, ping ? 2 : 0);
        assert_int_equal(reply.methods[i]->errors, ping ? 1 : 0);
    }
    stage_client_stop(&client);
    stage_server_stop(&server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered_by_a_worker),
        cmocka_unit_test(a_request_is_answered_on_the_loop),
        cmocka_unit_test(failures_carry_their_code_detail_and_field_but_no_secret),
        cmocka_unit_test(a_known_key_speaks_for_others_and_a_strangers_is_refused),
        cmocka_unit_test(an_outside_system_cannot_speak_for_others),
        cmocka_unit_test(a_revoked_key_is_not_served_on_its_old_connection),
        cmocka_unit_test(a_deadline_is_inherited_and_never_longer_than_the_callers),
        cmocka_unit_test(a_call_without_a_trace_gets_one),
        cmocka_unit_test(heads_that_break_a_rule_are_refused_by_field),
        cmocka_unit_test(bodies_that_break_the_guard_are_refused),
        cmocka_unit_test(messages_that_are_no_request_are_dropped_and_counted),
        cmocka_unit_test(a_full_line_refuses_with_advice),
        cmocka_unit_test(a_request_whose_time_passed_in_the_line_is_not_run),
        cmocka_unit_test(a_draining_server_refuses_new_work_and_finishes_the_old),
        cmocka_unit_test(posted_jobs_run_on_workers_and_the_line_bounds_them),
        cmocka_unit_test(methods_are_counted),
    };

    return cmocka_run_group_tests(tests, make_keys, forget_keys);
}
