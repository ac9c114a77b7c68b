/* Publishers that append by the rpc events.v1.Log/Append, without CURVE.
 *
 *     events_append_rpc endpoint=E [publishers=N] [window=EVENTS] [batch=EVENTS] [rate=R]
 *                       [events=N | seconds=S]
 */

#include <poll.h>

#include "common/wire/rpc_client.h"
#include "events/v1/log.pb-c.h"
#include "tests/bench/events/event.h"
#include "tests/bench/events/stream.h"

#define CALL_MS 30000
#define IN_FLIGHT_MAX 1024
#define ARENA_BYTES ((size_t)4 << 20)

struct appender {
    struct bench_publisher *publisher;
    struct rpc_client *client;
    struct arena arena;
    struct event event;
    Wire__V1__Principal principal;
    uint8_t *batch, *packed;
    uint64_t batch_events, in_flight_max, in_flight, batches;
};

struct batch {
    struct appender *appender;
    uint64_t due_ns, events;
};

static void
answered(void *context, const struct rpc_answer *answer)
{
    struct batch *batch = context;
    struct appender *appender = batch->appender;

    stream_check(answer->status, "append");
    for (uint64_t i = 0; i < batch->events; i++)
        bench_acknowledged(appender->publisher, batch->due_ns);
    appender->in_flight--;
    free(batch);
}

static void
send_batch(struct appender *appender)
{
    Events__V1__AppendRequest request = EVENTS__V1__APPEND_REQUEST__INIT;
    struct bench_publisher *publisher = appender->publisher;
    struct batch *batch = calloc(1, sizeof *batch);
    struct rpc_options options = {.principal = &appender->principal};
    struct bytes packed;

    if (!batch)
        bench_die("batch", "no memory");
    batch->appender = appender;
    batch->due_ns = bench_await_due(publisher);
    batch->events = appender->batch_events;
    if (publisher->load->events && publisher->load->events - publisher->sent < batch->events)
        batch->events = publisher->load->events - publisher->sent;
    for (uint64_t i = 0; i < batch->events; i++) {
        event_stamp(&appender->event, ++publisher->sent, batch->due_ns);
        event_put(&appender->event,
                  appender->batch + i * (BENCH_EVENT_BYTES + EVENT_FRAME_BYTES));
    }
    request.source = appender->event.source;
    request.batch_number = ++appender->batches;
    request.batch.data = appender->batch;
    request.batch.len = batch->events * (BENCH_EVENT_BYTES + EVENT_FRAME_BYTES);
    packed = (struct bytes){appender->packed,
                            protobuf_c_message_pack(&request.base, appender->packed)};
    options.deadline = mono_add_ms(clock_mono(clock_system()), CALL_MS);
    arena_reset(&appender->arena);
    stream_check(rpc_start(appender->client, "events.v1.Log/Append", packed, &options, answered,
                           batch, &appender->arena),
                 "append");
    appender->in_flight++;
}

static void
connect_to(struct appender *appender, struct rpc_client_config *config)
{
    const struct bench_args *args = &appender->publisher->load->args;

    arena_init(&appender->arena, ARENA_BYTES);
    config->zmq_context = zmq_ctx_new();
    config->clock = clock_system();
    config->in_flight_limit = IN_FLIGHT_MAX;
    stream_check(resolver_create(&appender->arena, &config->resolver), "resolver");
    stream_check(rpc_client_create(config, &appender->arena, &appender->client), "client");
    stream_check(rpc_client_add(appender->client, "events", bench_text(args, "endpoint", NULL),
                                NULL, &appender->arena),
                 "endpoint");
    wire__v1__principal__init(&appender->principal);
    appender->principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    appender->principal.tenant_id = EVENT_TENANT;
}

static void
run(struct appender *appender)
{
    static Wire__V1__Role roles[] = {WIRE__V1__ROLE__SERVICE};
    struct pollfd item = {.fd = rpc_client_fd(appender->client), .events = POLLIN};

    appender->principal.roles = roles;
    appender->principal.n_roles = 1;
    while (bench_goes_on(appender->publisher) || appender->in_flight) {
        while (bench_goes_on(appender->publisher) &&
               appender->in_flight < appender->in_flight_max)
            send_batch(appender);
        (void)poll(&item, 1, rpc_client_next_ms(appender->client)); /* EINTR: polled again */
        rpc_client_poll(appender->client);
    }
}

static void
publish(struct bench_publisher *publisher)
{
    const struct bench_load *load = publisher->load;
    struct appender *appender = calloc(1, sizeof *appender);
    struct rpc_client_config config = {0};
    size_t room;

    if (!appender)
        bench_die("publisher", "no memory");
    appender->publisher = publisher;
    appender->batch_events = bench_number(&load->args, "batch", 1);
    appender->in_flight_max = load->window / appender->batch_events;
    room = appender->batch_events * (BENCH_EVENT_BYTES + EVENT_FRAME_BYTES) + 256;
    appender->batch = malloc(room);
    appender->packed = malloc(room);
    if (!appender->in_flight_max || appender->in_flight_max > IN_FLIGHT_MAX ||
        !appender->batch || !appender->packed)
        bench_die("usage", "window= is 1 to 1024 times batch=");
    connect_to(appender, &config);
    event_make(publisher, false, &appender->event);
    bench_connected(publisher);
    run(appender);
    rpc_client_destroy(&appender->client);
    resolver_destroy(&config.resolver);
    (void)zmq_ctx_term(config.zmq_context);
    arena_fini(&appender->arena);
    free(appender->batch);
    free(appender->packed);
    free(appender);
}

int
main(int argc, char **argv)
{
    bench_publish((struct bench_args){argc, argv}, publish);
    return 0;
}
