/* From settings to sockets, and back in the mirrored order. */

#include <czmq.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/pg/cursor.h"
#include "common/pg/idempotency.h"
#include "common/service/admin_http.h"
#include "common/service/dispatch.h"
#include "common/service/frame.h"
#include "common/service/listener.h"
#include "common/service/service_sql.h"
#include "common/service/worker.h"

#define REDIS_COMMAND_MS 50
#define REDIS_BREAKER_FAILURES 5
#define REDIS_BREAKER_OPEN_MS 2000
#define CURVE_PEERS_MAX 32
#define TEARDOWN_MS 5000 /* more than LINGER */

static struct status
add_room(struct frame *frame, size_t *count, const struct pg_statement *const *room)
{
    if (*count == FRAME_ROOMS_MAX)
        return FAIL(&frame->arena, INTERNAL, "more than %d rooms of statements",
                    FRAME_ROOMS_MAX);
    frame->rooms[(*count)++] = room;
    return OK;
}

static struct status
gather_rooms(struct frame *frame)
{
    const struct service *service = frame->service;
    size_t count = 0;

    if (!(service->uses & USES_POSTGRES))
        return OK;
    for (size_t i = 0; service->statements && service->statements[i]; i++)
        TRY(add_room(frame, &count, service->statements[i]));
    TRY(add_room(frame, &count, idempotency_statements));
    TRY(add_room(frame, &count, SQL_STATEMENTS));
    if (service->uses & USES_DOORBELL)
        TRY(add_room(frame, &count, outbox_statements));
    return OK;
}

/* Our own services and the operators; outside systems have no business on these sockets. */
static struct status
admit_peers(struct frame *frame)
{
    static const char *const services[] = {
#define SERVICE(name, port) #name,
#define CALLED(name)
#include "common/service/services.def"
#undef CALLED
#undef SERVICE
    };
    struct zap_peer peers[CURVE_PEERS_MAX];
    size_t count = 0;

    _Static_assert(COUNT_OF(services) < CURVE_PEERS_MAX, "room for every service");
    memset(peers, 0, sizeof peers);
    for (size_t i = 0; i <= COUNT_OF(services); i++) {
        const bool is_operator = i == COUNT_OF(services);
        const char *name = is_operator ? "operator" : services[i];
        const struct status status =
            key_public_load(frame->settings.key_folder, name, &frame->arena, peers[count].key);

        if (status.code == CODE_NOT_FOUND) {
            log_warn("no public key of a peer: it cannot connect", KV("peer", name));
            continue;
        }
        TRY(status);
        (void)snprintf(peers[count].name, sizeof peers[count].name, "%s:%s",
                       is_operator ? "operator" : "service", name);
        count++;
    }
    return zap_set_peers(frame->open.zap, "services", peers, count);
}

static struct status
setup_keys(struct frame *frame)
{
    if (!frame->settings.curve) {
        log_warn("curve is off: every socket is open to all who reach it");
        return OK;
    }
    TRY(key_pair_load(frame->settings.key_folder, frame->service->name, &frame->arena,
                      &frame->own_key));
    frame->open.own_key = &frame->own_key;
    TRY(zap_create(frame->open.zmq_context, &frame->arena, &frame->open.zap));
    return admit_peers(frame);
}

static struct status
setup_cursors(struct frame *frame)
{
    const char *text = frame->settings.cursor_secret;
    unsigned char secret[CURSOR_SECRET_BYTES];
    size_t size = 0;
    const char *end = text;

    if (*text &&
        (sodium_hex2bin(secret, sizeof secret, text, strlen(text), NULL, &size, &end) != 0 ||
         size != sizeof secret || *end))
        return FAIL_FIELD(&frame->arena, "cursor_secret", "must be %d hexadecimal digits",
                          2 * CURSOR_SECRET_BYTES);
    if (!*text) {
        /* Pages begun here cannot be continued elsewhere or after a restart. */
        randombytes_buf(secret, sizeof secret);
        log_warn("cursor_secret is empty: paging cursors hold for this process only");
    }
    cursor_set_secret(secret);
    sodium_memzero(secret, sizeof secret);
    return OK;
}

static struct status
setup_doorbell(struct frame *frame)
{
    char public_text[KEY_TEXT_SIZE] = "";

    outbox_set_source(frame->settings.event_source);
    if (frame->settings.curve)
        TRY(key_public_load(frame->settings.key_folder, "events", &frame->arena, public_text));
    return doorbell_create(
        &(struct doorbell_config){.zmq_context = frame->open.zmq_context,
                                  .resolver = frame->open.resolver,
                                  .endpoint_list = frame->settings.doorbell_endpoints,
                                  .curve = frame->settings.curve,
                                  .own = frame->open.own_key,
                                  .server_public = frame->settings.curve ? public_text : NULL},
        &frame->arena, &frame->open.doorbell);
}

static struct status
setup_stores(struct frame *frame)
{
    const unsigned uses = frame->service->uses;

    TRY(gather_rooms(frame));
    if (uses & USES_POSTGRES)
        TRY(setup_cursors(frame));
    if (uses & USES_DOORBELL)
        TRY(setup_doorbell(frame));
    if (uses & USES_REDIS)
        TRY(cache_shared_create(
            &(struct cache_config){.host = frame->settings.redis_host,
                                   .port = (int)frame->settings.redis_port,
                                   .password = frame->settings.redis_password,
                                   .service = frame->service->name,
                                   .clock = frame->open.clock,
                                   .command_ms = REDIS_COMMAND_MS,
                                   .breaker_failures = REDIS_BREAKER_FAILURES,
                                   .breaker_open_ms = REDIS_BREAKER_OPEN_MS},
            &frame->arena, &frame->cache_shared));
    return OK;
}

static struct status
setup_rpc(struct frame *frame)
{
    static const ProtobufCService *const none[] = {NULL};
    const struct common_settings *settings = &frame->settings;

    return rpc_server_create(
        &(struct rpc_server_config){
            .zmq_context = frame->open.zmq_context,
            .bind = settings->rpc_bind,
            .curve = {.on = settings->curve, .own = frame->open.own_key, .domain = "services"},
            .zap = frame->open.zap,
            .clock = frame->open.clock,
            .services = frame->service->methods ? frame->service->methods : none,
            .workers = (uint32_t)settings->workers,
            .queue_limit = (uint32_t)settings->queue_limit,
            .run = dispatch_run,
            .run_on_loop = admin_rpc_run,
            .loop_service = admin_rpc_service,
            .worker_start = worker_start,
            .worker_stop = worker_stop,
            .context = frame,
        },
        &frame->arena, &frame->open.rpc);
}

/* The context's descriptors and threads exist from here on, and signals are blocked in them
 * all. */
static struct status
setup_process(struct frame *frame)
{
    frame->signal_fd = signalfd(-1, &frame->signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (frame->signal_fd < 0)
        return FAIL(&frame->arena, INTERNAL, "signalfd failed");
    zsys_handler_set(NULL);
    TRY(need(frame->open.loop = zloop_new()));
    zloop_set_nonstop(frame->open.loop, true);
    TRY(need(frame->open.zmq_context = zmq_ctx_new()));
    return resolver_create(&frame->arena, &frame->open.resolver);
}

struct status
frame_setup(struct frame *frame, struct arena *arena)
{
    const struct service *service = frame->service;

    frame->own_roles[0] = WIRE__V1__ROLE__SERVICE;
    wire__v1__principal__init(&frame->own_principal);
    frame->own_principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    frame->own_principal.subject_id = service->name;
    frame->own_principal.roles = frame->own_roles;
    frame->own_principal.n_roles = COUNT_OF(frame->own_roles);
    TRY(setup_process(frame));
    TRY(setup_keys(frame));
    TRY(setup_stores(frame));
    if (service->create_state)
        TRY(service->create_state(&frame->open, arena, &frame->open.state));
    TRY(setup_rpc(frame));
    TRY(admin_http_start(frame, arena, &frame->admin));
    if (service->inbox)
        TRY(listener_start(frame, arena, &frame->listener));
    if (service->start)
        TRY(service->start(&frame->open, arena));
    frame->service_started = true;
    return OK;
}

/* A socket or a thread that a service forgot would hold the process for ever. */
static void *
watch_teardown(void *unused)
{
    (void)unused;
    (void)poll(NULL, 0, TEARDOWN_MS);
    log_error("the end takes too long: a thread or socket of the service is still there");
    _exit(EXIT_FAILURE);
}

static void
bound_teardown(void)
{
    pthread_t watch;

    if (pthread_create(&watch, NULL, watch_teardown, NULL) == 0)
        (void)pthread_detach(watch); /* ends with the process */
}

/* Takes any stage of frame_setup.  The loop goes first: sockets are destroyed only after it. */
void
frame_teardown(struct frame *frame)
{
    const struct service *service = frame->service;

    bound_teardown();
    if (service->stop && frame->service_started)
        service->stop(&frame->open);
    listener_stop(&frame->listener);
    admin_http_stop(&frame->admin);
    zloop_destroy(&frame->open.loop);
    rpc_server_destroy(&frame->open.rpc);
    if (service->destroy_state && frame->open.state)
        service->destroy_state(frame->open.state);
    cache_shared_destroy(&frame->cache_shared);
    doorbell_destroy(&frame->open.doorbell);
    zap_destroy(&frame->open.zap);
    resolver_destroy(&frame->open.resolver);
    if (frame->open.zmq_context)
        (void)zmq_ctx_term(take(&frame->open.zmq_context));
    if (frame->signal_fd >= 0)
        (void)close(frame->signal_fd);
    frame->signal_fd = -1;
}
