#include "services/gateway/gateway.h"

#include <czmq.h>
#include <sodium.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/log.h"
#include "services/gateway/answers.h"
#include "services/gateway/cluster.h"
#include "services/gateway/exchange.h"
#include "services/gateway/feed.h"
#include "services/gateway/http.h"
#include "services/gateway/keys.h"
#include "services/gateway/limit.h"
#include "services/gateway/page.h"
#include "services/gateway/stream.h"

#define TICK_MS 1000
#define SETTLE_TICKS 5
#define GATEWAY_BYTES ((size_t)8 << 20)

struct gateway_settings gateway_settings;

const struct setting gateway_settings_table[] = {
#define SETTING_STRUCT struct gateway_settings
#include "common/base/setting_table.h"
#include "services/gateway/settings.def"
#include "common/base/setting_end.h"
    {0},
};

bool
gateway_is_https(const struct gateway *gateway)
{
    return strncmp(gateway->settings->public_url, "https://", 8) == 0;
}

/* http is for loopback: a cookie without Secure must not cross a network. */
static struct status
check_public_url(const char *url, struct arena *arena)
{
    static const char *const loopback[] = {"http://127.0.0.1", "http://localhost",
                                           "http://[::1]"};

    if (strpbrk(url, "\"\\<> ") || url[strlen(url) - 1] == '/')
        return FAIL_FIELD(arena, "public_url",
                          "must be a plain URL without a slash at the end");
    if (strncmp(url, "https://", 8) == 0)
        return OK;
    for (size_t i = 0; i < COUNT_OF(loopback); i++) {
        const size_t size = strlen(loopback[i]);

        if (strncmp(url, loopback[i], size) == 0 && (url[size] == ':' || url[size] == '\0'))
            return OK;
    }
    return FAIL_FIELD(arena, "public_url", "must be https, or http on loopback");
}

/* Everything that needs no socket. */
static struct status
make_rooms(struct gateway *gateway, struct arena *arena)
{
    TRY(routes_create(arena, &gateway->routes));
    TRY(event_json_create(arena, &gateway->events));
    TRY(pages_create(gateway, arena, &gateway->pages));
    TRY(auth_create(gateway, arena, &gateway->auth));
    TRY(limits_create(arena, &gateway->limits));
    TRY(answers_create(gateway->settings, arena, &gateway->answers));
    TRY(ring_create(gateway->settings->stream_ring_bytes, arena, &gateway->ring));
    TRY(streams_create(gateway, arena, &gateway->streams));
    TRY(cluster_create(gateway, arena, &gateway->cluster));
    return exchange_pool_create(gateway, arena, &gateway->pool);
}

struct status
gateway_create(struct service_frame *frame, struct arena *arena, void **ret)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    struct status status;

    TRY(need(gateway));
    gateway->frame = frame;
    gateway->settings = &gateway_settings;
    gateway->clock = frame->clock;
    gateway->timer_fd = -1;
    arena_init(&gateway->arena, GATEWAY_BYTES);
    status = check_public_url(gateway_settings.public_url, arena);
    if (!failed(status) && sodium_init() < 0)
        status = FAIL(arena, INTERNAL, "libsodium does not start");
    if (!failed(status))
        status = make_rooms(gateway, arena);
    if (failed(status)) {
        gateway_destroy(gateway);
        return status;
    }
    *ret = gateway;
    return OK;
}

void
gateway_destroy(void *state)
{
    struct gateway *gateway = state;

    exchange_pool_destroy(&gateway->pool);
    cluster_destroy(&gateway->cluster);
    streams_destroy(&gateway->streams);
    ring_destroy(&gateway->ring);
    answers_destroy(&gateway->answers);
    limits_destroy(&gateway->limits);
    auth_destroy(&gateway->auth);
    pages_destroy(&gateway->pages);
    event_json_destroy(&gateway->events);
    routes_destroy(&gateway->routes);
    arena_fini(&gateway->arena);
    free(gateway);
}

void
gateway_wake_in(struct gateway *gateway, int ms)
{
    const int64_t due = clock_mono(gateway->clock).ns + (int64_t)ms * 1000000;
    const struct itimerspec when = {
        .it_value = {.tv_sec = ms / 1000, .tv_nsec = ms > 0 ? ms % 1000 * 1000000L : 1}};

    if (gateway->timer_fd < 0 || (gateway->timer_due_ns && gateway->timer_due_ns <= due))
        return;
    gateway->timer_due_ns = due;
    (void)timerfd_settime(gateway->timer_fd, 0, &when, NULL);
}

/* After each turn: when the next one is due even if nothing comes in. */
static void
plan_next(struct gateway *gateway)
{
    const int http_ms = http_next_ms(gateway);

    if (http_ms >= 0)
        gateway_wake_in(gateway, http_ms);
    if (gateway->working > 0)
        gateway_wake_in(gateway, rpc_client_next_ms(gateway->rpc));
}

static int
on_http(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    struct gateway *gateway = context;

    (void)loop;
    (void)item;
    http_run(gateway);
    plan_next(gateway);
    return 0;
}

static int
on_rpc(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    struct gateway *gateway = context;

    (void)loop;
    (void)item;
    rpc_client_poll(gateway->rpc);
    http_run(gateway); /* sends what the answers have resumed */
    plan_next(gateway);
    return 0;
}

static int
on_timer(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    struct gateway *gateway = context;
    uint64_t times;

    (void)!read(gateway->timer_fd, &times, sizeof times);
    gateway->timer_due_ns = 0;
    return on_rpc(loop, item, context);
}

static void
take_item(struct gateway *gateway, struct feed_item *item)
{
    if (item->restart && (item->after != ring_through(gateway->ring) ||
                          !ring_live(gateway->ring, clock_mono(gateway->clock)))) {
        answers_doubt_all(gateway->answers);
        if (item->after != ring_through(gateway->ring)) {
            answers_forget_all(gateway->answers);
            ring_restart(gateway->ring, item->after);
        }
    }
    for (size_t i = 0; i < item->count; i++) {
        answers_event(gateway->answers, gateway->routes, item->events[i]->traits.type);
        ring_add(gateway->ring, item->events[i]);
    }
    if (!item->restart)
        ring_advance(gateway->ring, item->through, item->head, clock_mono(gateway->clock));
}

static int
on_feed(zloop_t *loop, zmq_pollitem_t *poll_item, void *context)
{
    struct gateway *gateway = context;
    const uint64_t before = ring_through(gateway->ring);
    struct feed_item *item;

    (void)loop;
    (void)poll_item;
    feed_clear(gateway->feed);
    while ((item = feed_take(gateway->feed))) {
        take_item(gateway, item);
        free(item);
    }
    atomic_store(&gateway->settled, true);
    if (ring_through(gateway->ring) != before) {
        streams_wake(gateway->streams, before);
        http_run(gateway);
        plan_next(gateway);
    }
    return 0;
}

static int
on_tick(zloop_t *loop, int timer, void *context)
{
    struct gateway *gateway = context;

    (void)loop;
    (void)timer;
    /* Without the log everything but the stream works. */
    if (++gateway->ticks == SETTLE_TICKS)
        atomic_store(&gateway->settled, true);
    if (!ring_live(gateway->ring, clock_mono(gateway->clock)))
        answers_doubt_all(gateway->answers);
    cluster_tick(gateway->cluster);
    streams_tick(gateway->streams);
    http_run(gateway);
    rpc_client_poll(gateway->rpc);
    plan_next(gateway);
    return 0;
}

static struct status
watch(struct gateway *gateway, int fd, zloop_fn *handler)
{
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};

    if (zloop_poller(gateway->frame->loop, &item, handler, gateway) < 0)
        return need(NULL);
    zloop_poller_set_tolerant(gateway->frame->loop, &item);
    return OK;
}

struct status
gateway_start(struct service_frame *frame, struct arena *arena)
{
    struct gateway *gateway = frame->state;

    gateway->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (gateway->timer_fd < 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no descriptor for a timer");
    TRY(keys_rpc_client(gateway, arena, &gateway->rpc));
    TRY(feed_create(gateway, gateway->events, arena, &gateway->feed));
    TRY(http_start(gateway, arena));
    TRY(watch(gateway, http_fd(gateway), on_http));
    TRY(watch(gateway, rpc_client_fd(gateway->rpc), on_rpc));
    TRY(watch(gateway, gateway->timer_fd, on_timer));
    TRY(watch(gateway, feed_fd(gateway->feed), on_feed));
    if (zloop_timer(frame->loop, TICK_MS, 0, on_tick, gateway) < 0)
        return need(NULL);
    return OK;
}

/* New connections are refused, streams end, and what is under way is answered. */
bool
gateway_drained(struct service_frame *frame)
{
    struct gateway *gateway = frame->state;

    if (!gateway->draining) {
        gateway->draining = true;
        http_quiesce(gateway);
        streams_drain(gateway->streams);
    }
    http_run(gateway);
    return gateway->working == 0 && streams_count(gateway->streams) == 0;
}

void
gateway_stop(struct service_frame *frame)
{
    struct gateway *gateway = frame->state;

    gateway->draining = true;
    streams_drain(gateway->streams);
    /* Outstanding calls are answered UNAVAILABLE, which resumes their connections. */
    rpc_client_destroy(&gateway->rpc);
    http_stop(gateway);
    feed_destroy(&gateway->feed);
    if (gateway->timer_fd >= 0)
        (void)close(gateway->timer_fd);
    gateway->timer_fd = -1;
}

const char *
gateway_not_ready(void *state)
{
    const struct gateway *gateway = state;

    return atomic_load(&gateway->settled) ? "" : "the event log has not been reached yet";
}
