#include "common/wire/rpc_play_test.h"

#include <stdlib.h>

static void
fake_open(struct play *play, struct fake *fake)
{
    const struct wire_curve off = {0};

    assert_int_equal(socket_bind(play->context, ZMQ_ROUTER, "tcp://127.0.0.1:*", &off,
                                 (struct socket_limits){0}, &play->arena, &fake->socket,
                                 fake->endpoint)
                         .code,
                     CODE_OK);
}

static bool
both_connected(struct play *play)
{
    struct rpc_instance instances[2];

    return rpc_client_instances(play->client, instances, 2) == 2 && instances[0].connected &&
           instances[1].connected;
}

void
play_turn(struct play *play)
{
    struct pollfd item = {.fd = rpc_client_fd(play->client), .events = POLLIN};

    (void)poll(&item, 1, 5);
    rpc_client_poll(play->client);
}

int
play_start(void **state)
{
    struct play *play = calloc(1, sizeof *play);
    const struct mono deadline = stage_soon();
    struct rpc_client_config config = {.in_flight_limit = 4};
    char endpoints[600];

    assert_non_null(play);
    *state = play;
    play->times.mono.ns = 1000000000;
    play->times.wall.unix_ms = 1700000000000;
    play->clock = clock_test(&play->times);
    play->context = zmq_ctx_new();
    arena_init(&play->arena, ARENA_CALL_BYTES);
    fake_open(play, &play->a);
    fake_open(play, &play->b);
    assert_int_equal(resolver_create(&play->arena, &play->resolver).code, CODE_OK);
    config.zmq_context = play->context;
    config.resolver = play->resolver;
    config.clock = &play->clock;
    assert_int_equal(rpc_client_create(&config, &play->arena, &play->client).code, CODE_OK);
    (void)snprintf(endpoints, sizeof endpoints, "%s,%s", play->a.endpoint, play->b.endpoint);
    assert_int_equal(rpc_client_add(play->client, "wire", endpoints, NULL, &play->arena).code,
                     CODE_OK);
    while (!both_connected(play) && !stage_over(deadline))
        play_turn(play);
    assert_true(both_connected(play));
    return 0;
}

int
play_stop(void **state)
{
    struct play *play = *state;

    rpc_client_destroy(&play->client);
    resolver_destroy(&play->resolver);
    socket_close(&play->a.socket);
    socket_close(&play->b.socket);
    (void)zmq_ctx_term(play->context);
    arena_fini(&play->arena);
    free(play);
    return 0;
}

void
play_note(void *context, const struct rpc_answer *answer)
{
    struct outcome *outcome = context;
    ProtobufCMessage *message;
    struct arena arena;

    arena_init(&arena, ARENA_CALL_BYTES);
    outcome->count++;
    outcome->code = answer->status.code;
    if (failed(answer->status)) {
        (void)snprintf(outcome->text, sizeof outcome->text, "%s", answer->status.detail);
    } else {
        const Wire__V1__PingReply *reply;

        assert_int_equal(
            wire_unpack(&wire__v1__ping_reply__descriptor, answer->packed, &arena, &message)
                .code,
            CODE_OK);
        reply = (const Wire__V1__PingReply *)message;
        (void)snprintf(outcome->text, sizeof outcome->text, "%.*s", (int)reply->payload.len,
                       (const char *)reply->payload.data);
    }
    arena_fini(&arena);
}

struct status
play_call(struct play *play, const char *payload, int64_t ms, struct outcome *outcome)
{
    uint8_t packed[64] = {0x0a, (uint8_t)strlen(payload)};
    const struct rpc_options options = {.deadline = mono_add_ms(play->times.mono, ms)};

    memcpy(packed + 2, payload, strlen(payload));
    return rpc_start(play->client, PING, (struct bytes){packed, 2 + strlen(payload)}, &options,
                     play_note, outcome, &play->arena);
}

/* Takes the next request; false when none comes within ms of real time. */
bool
play_hears(struct play *play, struct fake *fake, int ms)
{
    const struct mono deadline = mono_add_ms(clock_mono(clock_system()), ms);
    uint8_t frame[1024];
    ProtobufCMessage *message;
    const Wire__V1__RequestHead *head;
    int size;

    while ((size = zmq_recv(fake->socket, fake->route, sizeof fake->route, ZMQ_DONTWAIT)) < 0) {
        if (stage_over(deadline))
            return false;
        play_turn(play);
    }
    fake->route_size = (size_t)size;
    size = zmq_recv(fake->socket, frame, sizeof frame, 0);
    message = protobuf_c_message_unpack(&wire__v1__request_head__descriptor, NULL, (size_t)size,
                                        frame);
    assert_non_null(message);
    head = (const Wire__V1__RequestHead *)message;
    (void)snprintf(fake->id, sizeof fake->id, "%s", head->id);
    fake->attempt = head->attempt;
    fake->payload[0] = '\0';
    if (head->body.len > 2)
        (void)snprintf(fake->payload, sizeof fake->payload, "%.*s", (int)head->body.len - 2,
                       (const char *)head->body.data + 2);
    (void)snprintf(fake->told, sizeof fake->told, "%s %s %s %s %u", head->method,
                   head->idempotency_key, head->language,
                   head->principal ? head->principal->subject_id : "-", head->remaining_ms);
    protobuf_c_message_free_unpacked(message, NULL);
    return true;
}

void
play_answers(struct fake *fake, Wire__V1__Code code, bool draining, const char *payload)
{
    Wire__V1__ReplyHead head = WIRE__V1__REPLY_HEAD__INIT;
    uint8_t body[64] = {0x0a, (uint8_t)strlen(payload)}, frame[256];

    memcpy(body + 2, payload, strlen(payload));
    head.id = fake->id;
    head.code = code;
    head.draining = draining;
    head.detail = code != WIRE__V1__CODE__OK ? payload : "";
    if (code == WIRE__V1__CODE__OK)
        head.body = (ProtobufCBinaryData){2 + strlen(payload), body};
    assert_true(zmq_send(fake->socket, fake->route, fake->route_size, ZMQ_SNDMORE) > 0);
    assert_true(zmq_send(fake->socket, frame, protobuf_c_message_pack(&head.base, frame), 0) >
                0);
}

void
play_turn_until_done(struct play *play, const struct outcome *outcome)
{
    const struct mono deadline = stage_soon();

    while (outcome->count == 0 && !stage_over(deadline))
        play_turn(play);
    assert_int_equal(outcome->count, 1);
}

/* Whoever hears the request first, and the other one. */
struct fake *
play_first_to_hear(struct play *play, struct fake **ret_other)
{
    const struct mono deadline = stage_soon();

    while (!stage_over(deadline)) {
        if (play_hears(play, &play->a, 10)) {
            *ret_other = &play->b;
            return &play->a;
        }
        if (play_hears(play, &play->b, 10)) {
            *ret_other = &play->a;
            return &play->b;
        }
    }
    fail_msg("nobody heard the request");
    return NULL;
}
