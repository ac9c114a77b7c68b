#include "services/gateway/feed.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/wire/follow.h"
#include "events/v1/log.pb-c.h"
#include "services/gateway/keys.h"

#define QUEUE 64         /* items between thread and loop; a power of two */
#define BACK_EVENTS 2000 /* the ring begins this far behind the head */
#define EVENT_BYTES ((size_t)256 << 10)
#define WAIT_MS 500
#define HEAD_MS 2000

struct feed {
    struct gateway *gateway;
    const struct event_json *events;
    struct follow_config config;
    const char *server_public;
    pthread_t thread;
    bool running;
    atomic_bool ending;
    int items_fd; /* the loop waits for items */
    int wake_fd;  /* the thread waits for room or the end */
    _Atomic(size_t) written, read;
    struct feed_item *items[QUEUE];
    struct arena arena; /* keys' texts */
};

/* A trait's text behind the frame, with its end; where it stands. */
static size_t
put_trait(struct buffer *text, const char *value)
{
    const size_t at = text->size;

    buffer_put(text, value ? value : "", value ? strlen(value) + 1 : 1);
    return at;
}

struct ring_event *
feed_make_event(const struct event_json *events, const Io__Cloudevents__V1__CloudEvent *event,
                struct arena *arena)
{
    static const char *const names[] = {"tenantid",  "audience", "subject",
                                        "programme", "nuts",     "esco"};
    scoped(buffer_fini) struct buffer text = {0};
    size_t json_at, frame_size, type_at, at[COUNT_OF(names)];
    struct ring_event *made;
    char *data;

    buffer_init(&text, EVENT_BYTES);
    buffer_printf(&text, "id: %llu\ndata: ", (unsigned long long)event_position(event));
    json_at = text.size;
    if (failed(event_json_write(events, event, arena, &text)))
        return NULL;
    frame_size = text.size + 2;
    buffer_put(&text, "\n\n", 3); /* and a NUL */
    type_at = put_trait(&text, event->type);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        at[i] = put_trait(&text, event_attribute(event, names[i]));
    made = text.broken ? NULL : malloc(sizeof *made + text.size);
    if (!made)
        return NULL;
    data = (char *)(made + 1);
    memcpy(data, text.data, text.size);
    *made =
        (struct ring_event){.position = event_position(event),
                            .traits = {data + type_at, data + at[0], data + at[1], data + at[2],
                                       data + at[3], data + at[4], data + at[5]},
                            .frame = data,
                            .frame_size = frame_size,
                            .json = data + json_at,
                            .json_size = frame_size - 2 - json_at,
                            .cost_bytes = sizeof *made + text.size};
    return made;
}

static void
ring_bell(int fd)
{
    const uint64_t one = 1;

    (void)!write(fd, &one, sizeof one); /* full only when it is readable anyway */
}

static void
clear_bell(int fd)
{
    uint64_t count;

    (void)!read(fd, &count, sizeof count);
}

static void
free_item(struct feed_item *item)
{
    for (size_t i = 0; item && i < item->count; i++)
        free(item->events[i]);
    free(item);
}

/* Waits for room or the end, at most wait_ms. */
static void
wait_woken(struct feed *feed, int wait_ms)
{
    struct pollfd item = {.fd = feed->wake_fd, .events = POLLIN};

    if (poll(&item, 1, wait_ms) > 0)
        clear_bell(feed->wake_fd);
}

static void
hand_over(struct feed *feed, struct feed_item *item)
{
    const size_t written = atomic_load_explicit(&feed->written, memory_order_relaxed);

    while (written - atomic_load_explicit(&feed->read, memory_order_acquire) == QUEUE) {
        if (atomic_load(&feed->ending)) {
            free_item(item);
            return;
        }
        wait_woken(feed, WAIT_MS);
    }
    feed->items[written % QUEUE] = item;
    atomic_store_explicit(&feed->written, written + 1, memory_order_release);
    ring_bell(feed->items_fd);
}

struct feed_item *
feed_take(struct feed *feed)
{
    const size_t read = atomic_load_explicit(&feed->read, memory_order_relaxed);
    struct feed_item *item;

    if (read == atomic_load_explicit(&feed->written, memory_order_acquire))
        return NULL;
    item = feed->items[read % QUEUE];
    atomic_store_explicit(&feed->read, read + 1, memory_order_release);
    ring_bell(feed->wake_fd);
    return item;
}

int
feed_fd(const struct feed *feed)
{
    return feed->items_fd;
}

void
feed_clear(struct feed *feed)
{
    clear_bell(feed->items_fd);
}

static void
hand_over_batch(struct feed *feed, const struct follow_batch *batch, struct arena *arena)
{
    const size_t count = batch->events ? batch->events->n_events : 0;
    struct feed_item *item = calloc(1, sizeof *item + count * sizeof item->events[0]);

    if (!item) {
        log_error("no memory for a batch of events", KV("through", batch->through));
        abort(); /* a hole in the stream would be a lie */
    }
    item->after = batch->after;
    item->through = batch->through;
    item->head = batch->head;
    for (size_t i = 0; i < count; i++) {
        struct ring_event *event =
            feed_make_event(feed->events, batch->events->events[i], arena);

        if (event)
            item->events[item->count++] = event;
        else
            log_error("an event cannot be written as JSON",
                      KV("position", event_position(batch->events->events[i])));
    }
    hand_over(feed, item);
}

static void
hand_over_restart(struct feed *feed, uint64_t after)
{
    struct feed_item *item = calloc(1, sizeof *item);

    if (!item)
        abort();
    item->restart = true;
    item->after = item->through = item->head = after;
    hand_over(feed, item);
}

/* Asks where the log ends; the ring begins a little before. */
static struct status
find_start(struct feed *feed, struct rpc_client *client, struct arena *arena, uint64_t *ret)
{
    Events__V1__HeadRequest request = EVENTS__V1__HEAD_REQUEST__INIT;
    Wire__V1__Role roles[] = {WIRE__V1__ROLE__SERVICE};
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    const struct rpc_options options = {
        .principal = &principal,
        .deadline = mono_add_ms(clock_mono(feed->gateway->clock), HEAD_MS)};
    const Events__V1__HeadReply *reply;
    ProtobufCMessage *message;

    principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    principal.subject_id = "gateway";
    principal.roles = roles;
    principal.n_roles = COUNT_OF(roles);
    TRY(rpc_call(client, "events.v1.Log/Head", &request.base,
                 &events__v1__head_reply__descriptor, &options, arena, &message));
    reply = (const Events__V1__HeadReply *)message;
    *ret = reply->position > BACK_EVENTS ? reply->position - BACK_EVENTS : 0;
    if (*ret < reply->first_kept)
        *ret = reply->first_kept;
    return OK;
}

/* Until the end, or until the log has lost our place: then *after is the new one. */
static void
follow_from(struct feed *feed, struct arena *arena, uint64_t *after)
{
    scoped(follow_destroy) struct follow *follow = NULL;
    struct follow_batch batch = {0};
    bool failing = false;

    feed->config.after = *after;
    if (failed(follow_create(&feed->config, arena, &follow))) {
        wait_woken(feed, WAIT_MS);
        return;
    }
    hand_over_restart(feed, *after);
    while (!atomic_load(&feed->ending)) {
        struct status status;

        arena_reset(arena);
        status = follow_next(follow, WAIT_MS, arena, &batch);
        if (status.code == CODE_POSITION_GONE) {
            *after = batch.through;
            return;
        }
        if (!failed(status)) {
            failing = false;
            hand_over_batch(feed, &batch, arena);
            *after = batch.through;
        } else if (status.code != CODE_DEADLINE_EXCEEDED) {
            if (!failing)
                log_warn("the log cannot be followed", KV("code", code_name(status.code)),
                         KV("detail", status.detail ? status.detail : ""));
            failing = true;
            wait_woken(feed, WAIT_MS);
        }
    }
}

static void *
run(void *context)
{
    struct feed *feed = context;
    scoped(rpc_client_destroy) struct rpc_client *client = NULL;
    uint64_t after = 0;
    bool started = false;
    struct arena arena;

    arena_init(&arena, ARENA_CALL_BYTES);
    while (!atomic_load(&feed->ending) && !started) {
        arena_reset(&arena);
        if (!client && failed(keys_rpc_client(feed->gateway, &arena, &client)))
            wait_woken(feed, WAIT_MS);
        else if (failed(find_start(feed, client, &arena, &after)))
            wait_woken(feed, WAIT_MS);
        else
            started = true;
    }
    rpc_client_destroy(&client);
    while (!atomic_load(&feed->ending))
        follow_from(feed, &arena, &after);
    arena_fini(&arena);
    return NULL;
}

struct status
feed_create(struct gateway *gateway, const struct event_json *events, struct arena *arena,
            struct feed **ret)
{
    scoped(feed_destroy) struct feed *feed = calloc(1, sizeof *feed);
    const struct service_frame *frame = gateway->frame;

    TRY(need(feed));
    feed->gateway = gateway;
    feed->events = events;
    feed->items_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    feed->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    arena_init(&feed->arena, 1 << 16);
    if (feed->items_fd < 0 || feed->wake_fd < 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no descriptors for the feed");
    if (frame->settings->curve)
        TRY(keys_public(gateway, "events", &feed->arena, arena, &feed->server_public));
    feed->config = (struct follow_config){.zmq_context = frame->zmq_context,
                                          .resolver = frame->resolver,
                                          .clock = frame->clock,
                                          .endpoint_list = frame->settings->stream_endpoints,
                                          .curve = frame->settings->curve,
                                          .own = frame->own_key,
                                          .server_public = feed->server_public};
    if (pthread_create(&feed->thread, NULL, run, feed) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for the feed");
    feed->running = true;
    *ret = take(&feed);
    return OK;
}

void
feed_destroy(struct feed **feed)
{
    struct feed_item *item;

    if (!*feed)
        return;
    atomic_store(&(*feed)->ending, true);
    if ((*feed)->running) {
        ring_bell((*feed)->wake_fd);
        (void)pthread_join((*feed)->thread, NULL);
    }
    while ((item = feed_take(*feed)))
        free_item(item);
    if ((*feed)->items_fd >= 0)
        (void)close((*feed)->items_fd);
    if ((*feed)->wake_fd >= 0)
        (void)close((*feed)->wake_fd);
    arena_fini(&(*feed)->arena);
    free(take(feed));
}
