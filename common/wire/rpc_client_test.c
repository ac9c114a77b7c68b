#include "common/wire/rpc_client.h"

#include "common/wire/rpc_stage_test.h"

/* An instance played by hand on the test's thread, and the last request it has heard. */
struct fake {
    void *socket;
    char endpoint[256];
    uint8_t route[256];
    size_t route_size;
    char id[UUID_SIZE];
    char payload[64];
    char told[512]; /* method, key, language, subject and time left */
    uint32_t attempt;
};

/* What a call came to. */
struct outcome {
    int count;
    enum code code;
    char text[64]; /* payload, or the failure's detail */
};

/* A client whose time stands still unless a test moves it, and two instances. */
struct play {
    struct test_clock times;
    struct clock clock;
    void *context;
    struct resolver *resolver;
    struct rpc_client *client;
    struct arena arena;
    struct fake a, b;
    struct outcome outcomes[8];
};

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

static void
turn(struct play *play)
{
    struct pollfd item = {.fd = rpc_client_fd(play->client), .events = POLLIN};

    (void)poll(&item, 1, 5);
    rpc_client_poll(play->client);
}

static int
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
        turn(play);
    assert_true(both_connected(play));
    return 0;
}

static int
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

static void
note(void *context, const struct rpc_answer *answer)
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

static struct status
call(struct play *play, const char *payload, int64_t ms, struct outcome *outcome)
{
    uint8_t packed[64] = {0x0a, (uint8_t)strlen(payload)};
    const struct rpc_options options = {.deadline = mono_add_ms(play->times.mono, ms)};

    memcpy(packed + 2, payload, strlen(payload));
    return rpc_start(play->client, PING, (struct bytes){packed, 2 + strlen(payload)}, &options,
                     note, outcome, &play->arena);
}

/* Takes the next request; false when none comes within ms of real time. */
static bool
hears(struct play *play, struct fake *fake, int ms)
{
    const struct mono deadline = mono_add_ms(clock_mono(clock_system()), ms);
    uint8_t frame[1024];
    ProtobufCMessage *message;
    const Wire__V1__RequestHead *head;
    int size;

    while ((size = zmq_recv(fake->socket, fake->route, sizeof fake->route, ZMQ_DONTWAIT)) < 0) {
        if (stage_over(deadline))
            return false;
        turn(play);
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

static void
answers(struct fake *fake, Wire__V1__Code code, bool draining, const char *payload)
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

static void
turn_until_done(struct play *play, const struct outcome *outcome)
{
    const struct mono deadline = stage_soon();

    while (outcome->count == 0 && !stage_over(deadline))
        turn(play);
    assert_int_equal(outcome->count, 1);
}

/* Whoever hears the request first, and the other one. */
static struct fake *
first_to_hear(struct play *play, struct fake **ret_other)
{
    const struct mono deadline = stage_soon();

    while (!stage_over(deadline)) {
        if (hears(play, &play->a, 10)) {
            *ret_other = &play->b;
            return &play->a;
        }
        if (hears(play, &play->b, 10)) {
            *ret_other = &play->a;
            return &play->b;
        }
    }
    fail_msg("nobody heard the request");
    return NULL;
}

static void
a_silent_instance_is_left_for_another_with_the_same_id(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(call(play, "x", 5000, outcome).code, CODE_OK);
    first = first_to_hear(play, &second);
    assert_int_equal(first->attempt, 1);
    test_clock_advance_ms(&play->times, 399);
    assert_false(hears(play, second, 30));
    test_clock_advance_ms(&play->times, 1);
    assert_true(hears(play, second, STAGE_PATIENCE_MS));
    assert_string_equal(second->id, first->id);
    assert_int_equal(second->attempt, 2);
    assert_string_equal(second->payload, "x");
    answers(second, WIRE__V1__CODE__OK, false, "two");
    turn_until_done(play, outcome);
    assert_string_equal(outcome->text, "two");
}

static void
attempt_limits_double(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(call(play, "x", 20000, outcome).code, CODE_OK);
    first = first_to_hear(play, &second);
    test_clock_advance_ms(&play->times, 400);
    assert_true(hears(play, second, STAGE_PATIENCE_MS));
    test_clock_advance_ms(&play->times, 799);
    assert_false(hears(play, first, 20) || hears(play, second, 20));
    test_clock_advance_ms(&play->times, 1);
    first = first_to_hear(play, &second);
    assert_int_equal(first->attempt, 3);
}

static void
the_late_answer_of_an_earlier_attempt_is_taken_once(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0], *next = &play->outcomes[1];
    struct fake *first, *second;

    assert_int_equal(call(play, "x", 5000, outcome).code, CODE_OK);
    first = first_to_hear(play, &second);
    test_clock_advance_ms(&play->times, 400);
    assert_true(hears(play, second, STAGE_PATIENCE_MS));
    answers(first, WIRE__V1__CODE__OK, false, "late");
    turn_until_done(play, outcome);
    assert_string_equal(outcome->text, "late");
    answers(second, WIRE__V1__CODE__OK, false, "too late");
    assert_int_equal(call(play, "y", 5000, next).code, CODE_OK);
    first = first_to_hear(play, &second);
    answers(first, WIRE__V1__CODE__OK, false, "next");
    turn_until_done(play, next);
    assert_string_equal(next->text, "next");
    assert_int_equal(outcome->count, 1);
}

/* Time stands still: only the lost connection can have caused the repeat. */
static void
a_lost_connection_repeats_the_call_elsewhere_at_once(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(call(play, "x", 5000, outcome).code, CODE_OK);
    first = first_to_hear(play, &second);
    socket_close(&first->socket);
    assert_true(hears(play, second, STAGE_PATIENCE_MS));
    assert_int_equal(second->attempt, 2);
    answers(second, WIRE__V1__CODE__OK, false, "saved");
    turn_until_done(play, outcome);
    assert_string_equal(outcome->text, "saved");
}

static void
a_draining_instance_is_not_chosen_again(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(call(play, "x", 5000, outcome).code, CODE_OK);
    first = first_to_hear(play, &second);
    answers(first, WIRE__V1__CODE__UNAVAILABLE, true, "draining");
    assert_true(hears(play, second, STAGE_PATIENCE_MS));
    answers(second, WIRE__V1__CODE__OK, false, "ok");
    turn_until_done(play, outcome);
    assert_int_equal(outcome->code, CODE_OK);
    for (int i = 0; i < 3; i++) {
        struct outcome *more = &play->outcomes[1 + i];

        assert_int_equal(call(play, "y", 5000, more).code, CODE_OK);
        assert_true(hears(play, second, STAGE_PATIENCE_MS));
        answers(second, WIRE__V1__CODE__OK, false, "ok");
        turn_until_done(play, more);
    }
    assert_false(hears(play, first, 20));
}

static void
a_refusal_by_everybody_is_repeated_and_at_last_returned(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(call(play, "x", 200, outcome).code, CODE_OK);
    first = first_to_hear(play, &second);
    answers(first, WIRE__V1__CODE__UNAVAILABLE, false, "no database");
    assert_true(hears(play, second, STAGE_PATIENCE_MS));
    answers(second, WIRE__V1__CODE__UNAVAILABLE, false, "no database");
    assert_false(hears(play, first, 20) || hears(play, second, 20));
    test_clock_advance_ms(&play->times, 50);
    first = first_to_hear(play, &second);
    answers(first, WIRE__V1__CODE__UNAVAILABLE, false, "still none");
    turn(play);
    while (outcome->count == 0 && (hears(play, &play->a, 20) || hears(play, &play->b, 20)))
        answers(play->a.attempt > play->b.attempt ? &play->a : &play->b,
                WIRE__V1__CODE__UNAVAILABLE, false, "still none");
    test_clock_advance_ms(&play->times, 150);
    turn_until_done(play, outcome);
    assert_int_equal(outcome->code, CODE_UNAVAILABLE);
    assert_string_equal(outcome->text, "still none");
}

static void
other_failures_are_final(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(call(play, "x", 5000, outcome).code, CODE_OK);
    first = first_to_hear(play, &second);
    answers(first, WIRE__V1__CODE__FAILED_PRECONDITION, false, "not now");
    turn_until_done(play, outcome);
    assert_int_equal(outcome->code, CODE_FAILED_PRECONDITION);
    assert_string_equal(outcome->text, "not now");
    assert_false(hears(play, second, 20));
}

static void
calls_go_where_the_fewest_are_outstanding(void **state)
{
    struct play *play = *state;
    struct outcome *outcomes = play->outcomes;

    for (int i = 0; i < 4; i++)
        assert_int_equal(call(play, "x", 5000, &outcomes[i]).code, CODE_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(hears(play, &play->a, STAGE_PATIENCE_MS));
        assert_true(hears(play, &play->b, STAGE_PATIENCE_MS));
    }
}

static void
calls_beyond_the_limit_and_without_a_service_are_refused(void **state)
{
    struct play *play = *state;
    struct outcome *outcomes = play->outcomes;
    const struct rpc_options options = {.deadline = mono_add_ms(play->times.mono, 1000)};

    for (int i = 0; i < 4; i++)
        assert_int_equal(call(play, "x", 5000, &outcomes[i]).code, CODE_OK);
    assert_int_equal(call(play, "x", 5000, &outcomes[4]).code, CODE_RESOURCE_EXHAUSTED);
    assert_int_equal(rpc_start(play->client, "nobody.v1.X/Y", (struct bytes){NULL, 0}, &options,
                               note, &outcomes[4], &play->arena)
                         .code,
                     CODE_INVALID_ARGUMENT);
    rpc_client_destroy(&play->client);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(outcomes[i].count, 1);
        assert_int_equal(outcomes[i].code, CODE_UNAVAILABLE);
    }
    assert_int_equal(outcomes[4].count, 0);
}

static void
ids_are_different_and_may_be_given_but_not_twice(void **state)
{
    struct play *play = *state;
    const struct rpc_options options = {.deadline = mono_add_ms(play->times.mono, 1000),
                                        .id = "0192d5b0-0000-7000-8000-00000000000f"};
    char ids[3][UUID_SIZE];
    struct fake *first, *second;

    for (int i = 0; i < 3; i++) {
        if (i == 1)
            test_clock_advance_ms(&play->times, 1);
        assert_int_equal(call(play, "x", 5000, &play->outcomes[i]).code, CODE_OK);
        first = first_to_hear(play, &second);
        memcpy(ids[i], first->id, UUID_SIZE);
        assert_true(uuid_valid(ids[i]));
        assert_int_equal(ids[i][14], '7');
        assert_true(i == 0 || strcmp(ids[i - 1], ids[i]) < 0);
    }
    assert_memory_equal(ids[0], "018bcfe5-6800", 13); /* 1700000000000 ms */
    assert_memory_equal(ids[2], "018bcfe5-6801", 13);
    for (int i = 0; i < 2; i++)
        assert_int_equal(rpc_start(play->client, PING, (struct bytes){NULL, 0}, &options, note,
                                   &play->outcomes[3], &play->arena)
                             .code,
                         i == 0 ? CODE_OK : CODE_INVALID_ARGUMENT);
    first = first_to_hear(play, &second);
    assert_string_equal(first->id, options.id);
}

static void
a_whole_head_arrives_as_given_and_one_that_is_too_large_is_refused(void **state)
{
    struct play *play = *state;
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    struct rpc_options options = {.deadline = mono_add_ms(play->times.mono, 1000),
                                  .principal = &principal,
                                  .idempotency_key = "key",
                                  .language = "sv"};
    struct fake *first, *second;
    char large[1024];

    principal.subject_id = "somebody";
    assert_int_equal(rpc_start(play->client, PING, (struct bytes){NULL, 0}, &options, note,
                               &play->outcomes[0], &play->arena)
                         .code,
                     CODE_OK);
    first = first_to_hear(play, &second);
    assert_string_equal(first->told, "wire.v1.Admin/Ping key sv somebody 1000");
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    principal.subject_id = large;
    assert_int_equal(rpc_start(play->client, PING, (struct bytes){NULL, 0}, &options, note,
                               &play->outcomes[1], &play->arena)
                         .code,
                     CODE_INVALID_ARGUMENT);
    principal.subject_id = "";
    large[200] = '\0';
    options.idempotency_key = large; /* the server refuses it; here it must fit and pass */
    assert_int_equal(rpc_start(play->client, PING, (struct bytes){NULL, 0}, &options, note,
                               &play->outcomes[1], &play->arena)
                         .code,
                     CODE_OK);
    first = first_to_hear(play, &second);
    assert_non_null(strstr(first->told, large));
}

static void
silence_until_the_deadline_is_told_apart_from_absence(void **state)
{
    struct play *play = *state;
    struct outcome *silent = &play->outcomes[0], *absent = &play->outcomes[1];
    const struct mono deadline = stage_soon();
    struct fake *first, *second;
    struct rpc_instance instances[2];

    assert_int_equal(call(play, "x", 300, silent).code, CODE_OK);
    first = first_to_hear(play, &second);
    (void)first;
    test_clock_advance_ms(&play->times, 300);
    turn_until_done(play, silent);
    assert_int_equal(silent->code, CODE_DEADLINE_EXCEEDED);
    socket_close(&play->a.socket);
    socket_close(&play->b.socket);
    do {
        turn(play);
        (void)rpc_client_instances(play->client, instances, 2);
    } while ((instances[0].connected || instances[1].connected) && !stage_over(deadline));
    assert_int_equal(call(play, "x", 300, absent).code, CODE_OK);
    test_clock_advance_ms(&play->times, 300);
    turn_until_done(play, absent);
    assert_int_equal(absent->code, CODE_UNAVAILABLE);
}

static void
answers_that_are_none_are_ignored(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;
    char right[UUID_SIZE];

    assert_int_equal(call(play, "x", 5000, outcome).code, CODE_OK);
    first = first_to_hear(play, &second);
    memcpy(right, first->id, sizeof right);
    assert_true(zmq_send(first->socket, first->route, first->route_size, ZMQ_SNDMORE) > 0);
    assert_int_equal(zmq_send(first->socket, "\xff\xff\xff", 3, 0), 3);
    (void)snprintf(first->id, sizeof first->id, "short");
    answers(first, WIRE__V1__CODE__OK, false, "no");
    (void)snprintf(first->id, sizeof first->id, "00000000-0000-7000-8000-000000000000");
    answers(first, WIRE__V1__CODE__OK, false, "no");
    memcpy(first->id, right, sizeof right);
    answers(first, WIRE__V1__CODE__OK, false, "yes");
    turn_until_done(play, outcome);
    assert_string_equal(outcome->text, "yes");
}

int
main(void)
{
#define PLAY(test) cmocka_unit_test_setup_teardown(test, play_start, play_stop)
    const struct CMUnitTest tests[] = {
        PLAY(a_silent_instance_is_left_for_another_with_the_same_id),
        PLAY(attempt_limits_double),
        PLAY(the_late_answer_of_an_earlier_attempt_is_taken_once),
        PLAY(a_lost_connection_repeats_the_call_elsewhere_at_once),
        PLAY(a_draining_instance_is_not_chosen_again),
        PLAY(a_refusal_by_everybody_is_repeated_and_at_last_returned),
        PLAY(other_failures_are_final),
        PLAY(calls_go_where_the_fewest_are_outstanding),
        PLAY(calls_beyond_the_limit_and_without_a_service_are_refused),
        PLAY(ids_are_different_and_may_be_given_but_not_twice),
        PLAY(a_whole_head_arrives_as_given_and_one_that_is_too_large_is_refused),
        PLAY(silence_until_the_deadline_is_told_apart_from_absence),
        PLAY(answers_that_are_none_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
