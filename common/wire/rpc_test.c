#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/wire/rpc_stage_test.h"

/* A server in a process of its own, whose handlers hang; its endpoint comes through the pipe.
 */
static pid_t
start_hanging_instance(char ret_endpoint[256])
{
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static struct stage_server server;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        stage_server_start(&server, (struct stage_options){.workers = 1});
        if (write(ends[1], rpc_server_endpoint(server.server), 256) != 256)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ends[0], ret_endpoint, 256), 256);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return child;
}

static void
count_good(void *context, const struct rpc_answer *answer)
{
    uint32_t *counts = context;

    counts[failed(answer->status)]++;
}

static void
start_waiting_ping(struct stage_client *client, uint32_t counts[2])
{
    static const uint8_t wait_for_gate[] = {0x0a, 1, 'g'};
    const struct rpc_options options = {.deadline = stage_soon()};

    assert_int_equal(rpc_start(client->client, PING,
                               (struct bytes){wait_for_gate, sizeof wait_for_gate}, &options,
                               count_good, counts, &client->arena)
                         .code,
                     CODE_OK);
}

static bool
both_connected(struct stage_client *client)
{
    struct rpc_instance instances[2];

    return rpc_client_instances(client->client, instances, 2) == 2 && instances[0].connected &&
           instances[1].connected;
}

static void
calls_survive_the_kill_of_their_instance(void **state)
{
    const struct mono deadline = stage_soon();
    char endpoints[600], hanging[256];
    const pid_t child = start_hanging_instance(hanging);
    struct stage_server server;
    struct stage_client client = {0};
    uint32_t counts[2] = {0};

    (void)state;
    stage_server_start(&server, (struct stage_options){0});
    stage_open_gate(&server);
    (void)snprintf(endpoints, sizeof endpoints, "%s,%s", hanging,
                   rpc_server_endpoint(server.server));
    stage_client_start(&client, endpoints, NULL, 0);
    while (!both_connected(&client) && !stage_over(deadline))
        stage_client_turn(&client, 10);
    for (int i = 0; i < 20; i++)
        start_waiting_ping(&client, counts);
    while (counts[0] < 10 && !stage_over(deadline))
        stage_client_turn(&client, 10);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (counts[0] + counts[1] < 20 && !stage_over(deadline))
        stage_client_turn(&client, 10);
    assert_int_equal(counts[0], 20);
    assert_int_equal(counts[1], 0);
    stage_client_stop(&client);
    stage_server_stop(&server);
}

/* Answers carry what was asked, whatever their order. */
struct many {
    uint32_t done, wrong;
    struct one {
        struct many *many;
        uint32_t number;
    } ones[64];
};

static void
compare(void *context, const struct rpc_answer *answer)
{
    const struct one *one = context;
    uint32_t number = 0;

    if (!failed(answer->status) && answer->packed.size == 6)
        memcpy(&number, answer->packed.data + 2, sizeof number);
    one->many->wrong += number != one->number;
    one->many->done++;
}

static void
sixty_four_calls_in_flight_get_each_its_own_answer(void **state)
{
    const struct mono deadline = mono_add_ms(stage_soon(), 20000);
    struct key_pair server_key;
    struct zap_peer peer = {.name = "service:gateway"};
    struct stage_client client = {0};
    struct stage_server server;
    struct many many = {0};
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    assert_int_equal(key_pair_create(&arena, &server_key).code, CODE_OK);
    assert_int_equal(key_pair_create(&arena, &client.pair).code, CODE_OK);
    memcpy(peer.key, client.pair.public_text, sizeof peer.key);
    stage_server_start(&server,
                       (struct stage_options){
                           .key = &server_key, .peers = &peer, .peer_count = 1, .workers = 4});
    stage_client_start(&client, rpc_server_endpoint(server.server), server_key.public_text, 64);
    for (uint32_t round = 0; round < 20; round++) {
        many.done = 0;
        for (uint32_t i = 0; i < 64; i++) {
            uint8_t packed[6] = {0x0a, 4};
            const struct rpc_options options = {.deadline = stage_soon()};

            many.ones[i] = (struct one){&many, (round * 64 + i) << 8 | 0xff};
            memcpy(packed + 2, &many.ones[i].number, 4);
            assert_int_equal(rpc_start(client.client, PING,
                                       (struct bytes){packed, sizeof packed}, &options, compare,
                                       &many.ones[i], &client.arena)
                                 .code,
                             CODE_OK);
        }
        while (many.done < 64 && !stage_over(deadline))
            stage_client_turn(&client, 100);
        assert_int_equal(many.done, 64);
    }
    assert_int_equal(many.wrong, 0);
    stage_client_stop(&client);
    stage_server_stop(&server);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        /* First, because it forks: the process has no threads yet. */
        cmocka_unit_test(calls_survive_the_kill_of_their_instance),
        cmocka_unit_test(sixty_four_calls_in_flight_get_each_its_own_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
