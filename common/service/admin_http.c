#include "common/service/admin_http.h"

#include <czmq.h>
#include <microhttpd.h>
#include <netdb.h>
#include <string.h>

#include "common/base/metric.h"
#include "common/service/listener.h"

#define CONNECTIONS_MAX 64
#define CONNECTIONS_PER_ADDRESS_MAX 32
#define CONNECTION_TIMEOUT_S 10
#define CONNECTION_BYTES ((size_t)16 << 10)
#define METRICS_BYTES ((size_t)8 << 20)
#define RUNS_MAX 16  /* in a row, before the loop looks at others */
#define TICK_MS 1000 /* how late a connection's time limit may be noticed */

struct admin_http {
    struct frame *frame;
    struct MHD_Daemon *daemon;
    int tick;
};

static struct metric queue_depth =
    METRIC("rpc_queue_depth", METRIC_GAUGE, "requests that wait for a worker", NULL, NULL);
static struct metric ready =
    METRIC("ready", METRIC_GAUGE, "1 while /readyz says yes", NULL, NULL);
static struct metric malformed =
    METRIC("rpc_malformed", METRIC_GAUGE, "messages dropped without an answer since the start",
           NULL, NULL);
static struct metric refused = METRIC("zap_refused", METRIC_GAUGE,
                                      "connections refused by key since the start", NULL, NULL);
static struct metric position =
    METRIC("listener_position", METRIC_GAUGE, "last event taken in", NULL, NULL);
static struct metric lag =
    METRIC("listener_lag_events", METRIC_GAUGE, "events known to be behind that", NULL, NULL);

/* What is read from elsewhere at the time somebody asks. */
static void
gauges(const struct frame *frame)
{
    const char *reasons[FRAME_REASONS_MAX];
    const struct rpc_server_stats rpc = rpc_server_stats(frame->open.rpc);

    metric_set(&ready, NULL, NULL, readiness_reasons(frame, reasons) == 0 ? 1 : 0);
    metric_set(&queue_depth, NULL, NULL, rpc.queue_depth);
    metric_set(&malformed, NULL, NULL, (double)rpc.malformed);
    if (frame->open.zap)
        metric_set(&refused, NULL, NULL, (double)zap_refused(frame->open.zap));
    if (frame->listener) {
        metric_set(&position, NULL, NULL, (double)listener_position(frame->listener));
        metric_set(&lag, NULL, NULL, (double)listener_lag(frame->listener));
    }
}

static unsigned
metrics_page(struct frame *frame, struct buffer *page)
{
    gauges(frame);
    metric_render(frame->service->name, page);
    return MHD_HTTP_OK;
}

static unsigned
readiness_page(struct frame *frame, struct buffer *page)
{
    const char *reasons[FRAME_REASONS_MAX];
    const size_t count = readiness_reasons(frame, reasons);

    for (size_t i = 0; i < count; i++)
        buffer_printf(page, "%s\n", reasons[i]);
    if (count > 0)
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    buffer_puts(page, "ready\n");
    return MHD_HTTP_OK;
}

/* That it answers is the answer: nothing it depends on is looked at. */
static unsigned
live_page(struct frame *frame, struct buffer *page)
{
    (void)frame;
    buffer_puts(page, "alive\n");
    return MHD_HTTP_OK;
}

static unsigned
startup_page(struct frame *frame, struct buffer *page)
{
    const bool started = atomic_load(&frame->readiness.started);

    buffer_puts(page, started ? "started\n" : "starting\n");
    return started ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static const struct page {
    const char *path;
    const char *type;
    unsigned (*write)(struct frame *frame, struct buffer *page);
} pages[] = {
    {"/livez", "text/plain; charset=utf-8", live_page},
    {"/readyz", "text/plain; charset=utf-8", readiness_page},
    {"/startupz", "text/plain; charset=utf-8", startup_page},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics_page},
};

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, const char *type,
       const struct buffer *body)
{
    /* MHD copies the body, and reads it only. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Content-Type", type);
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, "Allow", "GET, HEAD");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct admin_http *admin = context;
    scoped(buffer_fini) struct buffer body = {0};
    unsigned status = MHD_HTTP_NOT_FOUND;
    const char *type = pages[0].type;

    (void)version;
    (void)upload;
    (void)state;
    if (*upload_size) { /* nothing here takes a body: read past it, then answer */
        *upload_size = 0;
        return MHD_YES;
    }
    buffer_init(&body, METRICS_BYTES);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buffer_puts(&body, "GET only\n");
    }
    for (size_t i = 0; i < COUNT_OF(pages) && status == MHD_HTTP_NOT_FOUND; i++) {
        if (strcmp(url, pages[i].path) == 0) {
            type = pages[i].type;
            status = pages[i].write(admin->frame, &body);
        }
    }
    if (status == MHD_HTTP_NOT_FOUND)
        buffer_puts(&body, "not here: /livez /readyz /startupz /metrics\n");
    if (body.broken)
        return MHD_NO;
    return answer(connection, status, type, &body);
}

/* "127.0.0.1:5581" or "[::1]:5581"; numeric, because nothing may wait for DNS here. */
static struct status
parse_address(const char *text, struct arena *arena, struct addrinfo **ret)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(text, ':');
    size_t host_size = colon ? (size_t)(colon - text) : 0;
    char *host;

    if (!colon || host_size == 0)
        return FAIL_FIELD(arena, "admin_bind", "must be address:port");
    if (text[0] == '[' && text[host_size - 1] == ']') {
        text++;
        host_size -= 2;
    }
    TRY(need(host = arena_copy_n(arena, text, host_size)));
    if (getaddrinfo(host, colon + 1, &hints, ret) != 0)
        return FAIL_FIELD(arena, "admin_bind", "%s is not a numeric address", text);
    return OK;
}

static int
on_readable(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    struct admin_http *admin = context;
    MHD_UNSIGNED_LONG_LONG due = 1;

    (void)loop;
    (void)item;
    /* What MHD has read already, its epoll does not tell again. */
    for (int i = 0; i < RUNS_MAX; i++) {
        (void)MHD_run(admin->daemon);
        if (MHD_get_timeout(admin->daemon, &due) != MHD_YES || due > 0)
            break;
    }
    return 0;
}

static int
on_tick(zloop_t *loop, int timer, void *context)
{
    (void)timer;
    return on_readable(loop, NULL, context);
}

static struct status
listen_at(struct admin_http *admin, const struct addrinfo *address, struct arena *arena)
{
    const unsigned flags = MHD_USE_EPOLL | (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);

    admin->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, admin, MHD_OPTION_SOCK_ADDR, address->ai_addr,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        CONNECTIONS_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    if (!admin->daemon)
        return FAIL(arena, UNAVAILABLE, "admin_bind: the address is taken or bad");
    return OK;
}

static struct status
join_loop(struct admin_http *admin, struct arena *arena)
{
    const union MHD_DaemonInfo *epoll =
        MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    zmq_pollitem_t item = {.events = ZMQ_POLLIN};

    if (!epoll)
        return FAIL(arena, INTERNAL, "libmicrohttpd has no epoll descriptor");
    item.fd = epoll->epoll_fd;
    admin->tick = zloop_timer(admin->frame->open.loop, TICK_MS, 0, on_tick, admin);
    if (admin->tick < 0 || zloop_poller(admin->frame->open.loop, &item, on_readable, admin) < 0)
        return need(NULL);
    zloop_poller_set_tolerant(admin->frame->open.loop, &item);
    return OK;
}

struct status
admin_http_start(struct frame *frame, struct arena *arena, struct admin_http **ret)
{
    scoped(admin_http_stop) struct admin_http *admin = calloc(1, sizeof *admin);
    struct addrinfo *address = NULL;
    const union MHD_DaemonInfo *port;
    struct status status;

    TRY(need(admin));
    admin->frame = frame;
    TRY(parse_address(frame->settings.admin_bind, arena, &address));
    status = listen_at(admin, address, arena);
    freeaddrinfo(address);
    TRY(status);
    TRY(join_loop(admin, arena));
    port = MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_BIND_PORT);
    log_info("admin port open", KV("port", port ? (unsigned)port->port : 0u));
    *ret = take(&admin);
    return OK;
}

void
admin_http_stop(struct admin_http **admin)
{
    if (*admin && (*admin)->daemon)
        MHD_stop_daemon((*admin)->daemon);
    free(*admin);
    *admin = NULL;
}
