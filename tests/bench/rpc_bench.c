/* Requests per second and latency of our rpc: Ping with a payload of 200 bytes through the
 * client library and the full guard.
 *
 *     rpc_bench loop|worker WINDOW clear|curve SECONDS
 *
 * The server is a process of its own, as are the peer's; its loop is the zloop of a service.
 * `loop` answers on the thread that reads the socket, `worker` on one of four workers.  Prints
 * the rate and the median round trip in microseconds.
 */

#include <czmq.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/wire/rpc_client.h"
#include "common/wire/rpc_server.h"
#include "tests/bench/bench.h"

#define PAYLOAD_BYTES 200
#define WORKERS 4
#define DEADLINE_MS 10000

struct setup {
    bool on_loop, curve;
    unsigned window;
    double seconds;
    struct key_pair server_key, client_key;
    int endpoint_pipe[2];
};

static const Wire__V1__Admin_Service admin = {
    .base = {.descriptor = &wire__v1__admin__descriptor}};

static struct status
ping(void *context, struct rpc_request *request)
{
    const Wire__V1__PingRequest *body = (const Wire__V1__PingRequest *)request->body;
    Wire__V1__PingReply *reply = ARENA_NEW(request->arena, Wire__V1__PingReply);

    (void)context;
    TRY(need(reply));
    wire__v1__ping_reply__init(reply);
    reply->payload = body->payload;
    request->reply = &reply->base;
    return OK;
}

static int
serve(zloop_t *loop, zmq_pollitem_t *item, void *server)
{
    (void)loop;
    (void)item;
    rpc_server_serve(server);
    return 0;
}

static void
check(struct status status, const char *step)
{
    if (failed(status))
        bench_die(step, status.detail);
}

/* The server's process; ends with its parent. */
static void
run_server(const struct setup *setup)
{
    static const ProtobufCService *const services[] = {&admin.base, NULL};
    struct zap_peer peer = {.name = "service:bench"};
    struct rpc_server_config config = {.bind = "tcp://127.0.0.1:*",
                                       .clock = clock_system(),
                                       .services = setup->on_loop ? NULL : services,
                                       .loop_service = setup->on_loop ? &admin.base : NULL,
                                       .workers = WORKERS,
                                       .queue_limit = 1024,
                                       .run = ping,
                                       .run_on_loop = ping};
    zmq_pollitem_t socket = {.events = ZMQ_POLLIN}, answers = {.events = ZMQ_POLLIN};
    struct arena arena;
    struct rpc_server *server;
    zloop_t *loop;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* cannot fail with this signal */
    arena_init(&arena, ARENA_CALL_BYTES);
    config.zmq_context = zmq_ctx_new();
    config.curve = (struct wire_curve){
        .on = setup->curve, .own = &setup->server_key, .domain = "services"};
    if (setup->curve) {
        memcpy(peer.key, setup->client_key.public_text, sizeof peer.key);
        check(zap_create(config.zmq_context, &arena, &config.zap), "zap_create");
        check(zap_set_peers(config.zap, "services", &peer, 1), "zap_set_peers");
    }
    check(rpc_server_create(&config, &arena, &server), "rpc_server_create");
    if (write(setup->endpoint_pipe[1], rpc_server_endpoint(server), 256) != 256)
        bench_die("pipe", "the endpoint was not written");
    socket.socket = rpc_server_socket(server);
    answers.fd = rpc_server_answers_fd(server);
    (void)zsys_init(); /* a context of its own that nothing here uses */
    loop = zloop_new();
    (void)zloop_poller(loop, &socket, serve, server);
    (void)zloop_poller(loop, &answers, serve, server);
    (void)zloop_start(loop); /* until this process is killed */
    exit(0);
}

struct load {
    struct rpc_client *client;
    struct arena arena;
    struct bytes request;
    struct bench_samples samples;
    uint64_t stop_ns;
    uint32_t under_way;
};

/* One of the window's places. */
struct place {
    struct load *load;
    uint64_t started_ns;
};

static void start_call(struct place *place);

static void
answered(void *context, const struct rpc_answer *answer)
{
    struct place *place = context;
    struct load *load = place->load;
    const uint64_t now = bench_now_ns();
    ProtobufCMessage *reply;

    check(answer->status, "call");
    arena_reset(&load->arena);
    check(wire_unpack(&wire__v1__ping_reply__descriptor, answer->packed, &load->arena, &reply),
          "reply");
    if (((const Wire__V1__PingReply *)reply)->payload.len != PAYLOAD_BYTES)
        bench_die("reply", "is not what was sent");
    bench_sample(&load->samples, now - place->started_ns);
    load->under_way--;
    if (now < load->stop_ns)
        start_call(place);
}

static void
start_call(struct place *place)
{
    struct load *load = place->load;
    const struct rpc_options options = {
        .deadline = mono_add_ms(clock_mono(clock_system()), DEADLINE_MS)};

    place->started_ns = bench_now_ns();
    load->under_way++;
    check(rpc_start(load->client, "wire.v1.Admin/Ping", load->request, &options, answered,
                    place, &load->arena),
          "rpc_start");
}

static void
run_load(struct load *load, unsigned window, double seconds)
{
    struct place *places = calloc(window, sizeof *places);
    struct pollfd item = {.fd = rpc_client_fd(load->client), .events = POLLIN};
    const uint64_t begun = bench_now_ns();

    if (!places)
        bench_die("calloc", "no memory");
    load->stop_ns = begun + (uint64_t)(seconds * 1e9);
    for (unsigned i = 0; i < window; i++) {
        places[i].load = load;
        start_call(&places[i]);
    }
    while (load->under_way > 0) {
        (void)poll(&item, 1, rpc_client_next_ms(load->client)); /* EINTR: the poll below */
        rpc_client_poll(load->client);
    }
    bench_report(&load->samples, bench_now_ns() - begun);
    free(places);
}

static void
run_client(const struct setup *setup)
{
    static struct load load;
    uint8_t payload[PAYLOAD_BYTES], packed[PAYLOAD_BYTES + 16];
    Wire__V1__PingRequest request = WIRE__V1__PING_REQUEST__INIT;
    struct rpc_client_config config = {
        .clock = clock_system(), .curve = setup->curve, .own = &setup->client_key};
    char endpoint[256];

    if (read(setup->endpoint_pipe[0], endpoint, sizeof endpoint) != sizeof endpoint)
        bench_die("pipe", "no endpoint");
    memset(payload, 'p', sizeof payload);
    request.payload = (ProtobufCBinaryData){sizeof payload, payload};
    load.request = (struct bytes){packed, protobuf_c_message_pack(&request.base, packed)};
    arena_init(&load.arena, ARENA_CALL_BYTES);
    config.zmq_context = zmq_ctx_new();
    check(resolver_create(&load.arena, &config.resolver), "resolver_create");
    check(rpc_client_create(&config, &load.arena, &load.client), "rpc_client_create");
    check(rpc_client_add(load.client, "wire", endpoint,
                         setup->curve ? setup->server_key.public_text : NULL, &load.arena),
          "rpc_client_add");
    run_load(&load, setup->window, setup->seconds);
    rpc_client_destroy(&load.client);
    resolver_destroy(&config.resolver);
    (void)zmq_ctx_term(config.zmq_context);
    arena_fini(&load.arena);
}

int
main(int argc, char **argv)
{
    struct setup setup;
    struct arena arena;
    pid_t server;

    if (argc != 5)
        bench_die("usage", "rpc_bench loop|worker WINDOW clear|curve SECONDS");
    setup.on_loop = strcmp(argv[1], "loop") == 0;
    setup.window = (unsigned)strtoul(argv[2], NULL, 10);
    setup.curve = strcmp(argv[3], "curve") == 0;
    setup.seconds = strtod(argv[4], NULL);
    arena_init(&arena, ARENA_CALL_BYTES);
    check(key_pair_create(&arena, &setup.server_key), "key_pair_create");
    check(key_pair_create(&arena, &setup.client_key), "key_pair_create");
    arena_fini(&arena);
    if (setup.window == 0 || pipe(setup.endpoint_pipe) != 0)
        bench_die("window", "must be 1 or more");
    server = fork();
    if (server == 0)
        run_server(&setup);
    run_client(&setup);
    (void)kill(server, SIGKILL); /* our own child */
    (void)waitpid(server, NULL, 0);
    return 0;
}
