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
    struct rpc_options options = {0};
    struct stage_server server;
    struct stage_client client = {0};
    const char *reply;
    long left;

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    stage_client_start(&client, rpc_server_endpoint(server.server), NULL, 0);
    options.deadline = mono_add_ms(clock_mono(clock_system()), 3000);
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
        cmocka_unit_test(a_full_line_refuses_with_advice),
        cmocka_unit_test(posted_jobs_run_on_workers_and_the_line_bounds_them),
        cmocka_unit_test(methods_are_counted),
    };

    return cmocka_run_group_tests(tests, make_keys, forget_keys);
}
