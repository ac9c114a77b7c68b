#include "common/wire/rpc_stage_test.h"

#include <sys/eventfd.h>

struct mono
stage_soon(void)
{
    return mono_add_ms(clock_mono(clock_system()), STAGE_PATIENCE_MS);
}

bool
stage_over(struct mono deadline)
{
    return mono_left_ms(deadline, clock_mono(clock_system())) == 0;
}

static void
stage_wait_gate(struct stage_server *stage)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STAGE_PATIENCE_MS / 1000;
    (void)pthread_mutex_lock(&stage->lock);
    while (!stage->open && pthread_cond_timedwait(&stage->changed, &stage->lock, &until) == 0)
        ;
    (void)pthread_mutex_unlock(&stage->lock);
}

void
stage_open_gate(struct stage_server *stage)
{
    (void)pthread_mutex_lock(&stage->lock);
    stage->open = true;
    (void)pthread_cond_broadcast(&stage->changed);
    (void)pthread_mutex_unlock(&stage->lock);
}

/* What a Ping's payload asks for: 'g' wait for the gate, 'u' UNAVAILABLE, 'n' NOT_FOUND with a
 * field, 'i' INTERNAL, 's' the principal's subject, 'p' the peer, 'd' the milliseconds left,
 * 't' the trace parent; anything else is echoed. */
static struct status
stage_run(void *context, struct rpc_request *request)
{
    struct stage_server *stage = context;
    const Wire__V1__PingRequest *ping = (const Wire__V1__PingRequest *)request->body;
    Wire__V1__PingReply *reply = ARENA_NEW(request->arena, Wire__V1__PingReply);
    const char what = ping->payload.len > 0 ? (char)ping->payload.data[0] : '\0';
    const char *text = NULL;

    TRY(need(reply));
    wire__v1__ping_reply__init(reply);
    reply->payload = ping->payload;
    request->reply = &reply->base;
    atomic_fetch_add(&stage->begun, 1);
    switch (what) {
    case 'g':
        stage_wait_gate(stage);
        break;
    case 'u':
        return FAIL(request->arena, UNAVAILABLE, "out of order");
    case 'n':
        return status_make(request->arena, CODE_NOT_FOUND, "no such thing");
    case 'f':
        return FAIL_FIELD(request->arena, "skills[3].name", "must not be empty");
    case 'i':
        return FAIL(request->arena, INTERNAL, "secret detail");
    case 's':
        text = request->principal->subject_id;
        break;
    case 'p':
        text = request->peer;
        break;
    case 't':
        text = request->head->traceparent;
        break;
    case 'd':
        text = arena_printf(request->arena, "%d",
                            mono_left_ms(request->deadline, clock_mono(clock_system())));
        break;
    default:
        break;
    }
    if (text) {
        char *copy = arena_copy(request->arena, text);

        TRY(need(copy));
        reply->payload = (ProtobufCBinaryData){strlen(copy), (uint8_t *)copy};
    }
    return OK;
}

/* The worker's context is the stage. */
static void *
stage_worker(void *context, unsigned index)
{
    (void)index;
    return context;
}

static void *
stage_loop(void *context)
{
    struct stage_server *stage = context;
    zmq_pollitem_t items[] = {
        {.socket = rpc_server_socket(stage->server), .events = ZMQ_POLLIN},
        {.fd = rpc_server_answers_fd(stage->server), .events = ZMQ_POLLIN},
        {.fd = stage->stop_fd, .events = ZMQ_POLLIN}};

    do {
        rpc_server_serve(stage->server);
        (void)zmq_poll(items, COUNT_OF(items), 1000);
    } while (!items[2].revents);
    rpc_server_serve(stage->server);
    return NULL;
}

static const Wire__V1__Admin_Service stage_admin = {
    .base = {.descriptor = &wire__v1__admin__descriptor}};

void
stage_server_start(struct stage_server *stage, struct stage_options options)
{
    static const ProtobufCService *const services[] = {&stage_admin.base, NULL};
    struct rpc_server_config config = {
        .bind = options.bind ? options.bind : "tcp://127.0.0.1:*",
        .clock = clock_system(),
        .services = options.on_loop ? NULL : services,
        .loop_service = options.on_loop ? &stage_admin.base : NULL,
        .workers = options.workers ? options.workers : 2,
        .queue_limit = options.queue_limit ? options.queue_limit : 100,
        .run = stage_run,
        .run_on_loop = stage_run,
        .worker_start = stage_worker,
        .context = stage,
        .curve = {.on = options.key != NULL, .own = options.key, .domain = "services"}};

    *stage = (struct stage_server){.context = zmq_ctx_new()};
    assert_non_null(stage->context);
    arena_init(&stage->arena, ARENA_CALL_BYTES);
    (void)pthread_mutex_init(&stage->lock, NULL);
    (void)pthread_cond_init(&stage->changed, NULL);
    if (options.key) {
        assert_int_equal(zap_create(stage->context, &stage->arena, &stage->zap).code, CODE_OK);
        assert_int_equal(
            zap_set_peers(stage->zap, "services", options.peers, options.peer_count).code,
            CODE_OK);
    }
    config.zmq_context = stage->context;
    config.zap = stage->zap;
    assert_int_equal(rpc_server_create(&config, &stage->arena, &stage->server).code, CODE_OK);
    stage->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(pthread_create(&stage->thread, NULL, stage_loop, stage), 0);
}

/* Ends the loop and the server; with CURVE also the key table. */
void
stage_server_stop(struct stage_server *stage)
{
    const uint64_t one = 1;

    stage_open_gate(stage);
    assert_int_equal(write(stage->stop_fd, &one, sizeof one), sizeof one);
    (void)pthread_join(stage->thread, NULL);
    rpc_server_destroy(&stage->server);
    zap_destroy(&stage->zap);
    (void)zmq_ctx_term(stage->context);
    (void)close(stage->stop_fd);
    (void)pthread_cond_destroy(&stage->changed);
    (void)pthread_mutex_destroy(&stage->lock);
    arena_fini(&stage->arena);
}

/* A client of the service "wire" at these endpoints. */
void
stage_client_start(struct stage_client *stage, const char *endpoints, const char *server_public,
                   uint32_t in_flight_limit)
{
    struct rpc_client_config config = {.clock = clock_system(),
                                       .curve = server_public != NULL,
                                       .own = &stage->pair,
                                       .in_flight_limit = in_flight_limit};

    stage->context = zmq_ctx_new();
    assert_non_null(stage->context);
    arena_init(&stage->arena, ARENA_CALL_BYTES);
    assert_int_equal(resolver_create(&stage->arena, &stage->resolver).code, CODE_OK);
    config.zmq_context = stage->context;
    config.resolver = stage->resolver;
    assert_int_equal(rpc_client_create(&config, &stage->arena, &stage->client).code, CODE_OK);
    assert_int_equal(
        rpc_client_add(stage->client, "wire", endpoints, server_public, &stage->arena).code,
        CODE_OK);
}

void
stage_client_stop(struct stage_client *stage)
{
    rpc_client_destroy(&stage->client);
    resolver_destroy(&stage->resolver);
    (void)zmq_ctx_term(stage->context);
    arena_fini(&stage->arena);
}

/* Waits for input of the client and polls it. */
void
stage_client_turn(struct stage_client *stage, int most_ms)
{
    struct pollfd item = {.fd = rpc_client_fd(stage->client), .events = POLLIN};
    const int due = rpc_client_next_ms(stage->client);

    (void)poll(&item, 1, due < most_ms ? due : most_ms);
    rpc_client_poll(stage->client);
}

struct status
stage_ping(struct stage_client *stage, const char *payload, const struct rpc_options *given,
           const char **ret)
{
    Wire__V1__PingRequest request = WIRE__V1__PING_REQUEST__INIT;
    struct rpc_options options = given ? *given : (struct rpc_options){0};
    ProtobufCMessage *message;
    const Wire__V1__PingReply *reply;

    if (options.deadline.ns == 0)
        options.deadline = stage_soon();
    request.payload.len = strlen(payload);
    request.payload.data = (uint8_t *)(uintptr_t)payload; /* only read */
    TRY(rpc_call(stage->client, PING, &request.base, &wire__v1__ping_reply__descriptor,
                 &options, &stage->arena, &message));
    reply = (const Wire__V1__PingReply *)message;
    if (ret)
        *ret = arena_copy_n(&stage->arena, reply->payload.data, reply->payload.len);
    return OK;
}
