#include "services/gateway/stream.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/metric.h"
#include "services/gateway/event_filter.h"
#include "services/gateway/feed.h"
#include "services/gateway/own.h"

#define PAGE_EVENTS 200
#define PENDING_BYTES                                                                          \
    ((size_t)16 << 20) /* a page of the largest events, with room for JSON                     \
                        */
#define PAGE_ARENA_BYTES ((size_t)32 << 20)
#define PAGE_MS 5000
#define BLOCK_BYTES 1024 /* what MHD asks for at a time, kept for each client */
#define RETRY_MS 500

struct client {
    struct streams *streams;
    struct MHD_Connection *connection; /* NULL until the response is queued */
    struct client *previous, *next;
    struct event_filter filter; /* its texts are our own */
    char *credential;           /* NULL: anonymous */
    uint8_t credential_hash[CREDENTIAL_HASH_BYTES];
    struct identity *system; /* whose rights to types the log alone knows; NULL: no system */
    uint64_t position;       /* all up to here has been sent or passed over */
    uint64_t sending;        /* the ring's event that is half sent; 0: none */
    size_t sent_bytes;       /* of it */
    struct buffer pending;   /* what goes out before the ring's events */
    size_t pending_sent;
    struct mono heartbeat;
    bool suspended, fetching, checking, ending;
    bool gone;                /* the connection has ended while an rpc was under way */
    struct exchange *opening; /* waits for the first page; NULL afterwards */
};

struct streams {
    struct gateway *gateway;
    struct client *first;
    size_t count;
};

static struct metric clients =
    METRIC("stream_clients", METRIC_GAUGE, "Clients of the event stream.", NULL, NULL);

struct status
streams_create(struct gateway *gateway, struct arena *arena, struct streams **ret)
{
    struct streams *streams = calloc(1, sizeof *streams);

    (void)arena;
    TRY(need(streams));
    streams->gateway = gateway;
    *ret = streams;
    return OK;
}

void
streams_destroy(struct streams **streams)
{
    free(take(streams));
}

size_t
streams_count(const struct streams *streams)
{
    return streams->count;
}

static void
client_free(struct client *client)
{
    for (size_t i = 0; i < client->filter.term_count; i++)
        free((void *)(uintptr_t)client->filter.terms[i].text);
    buffer_fini(&client->pending);
    free(client->credential);
    free(client->system);
    free(client);
}

/* Out of the list; freed now, or by the answer that is still to come. */
static void
client_leave(struct client *client)
{
    struct streams *streams = client->streams;

    *(client->previous ? &client->previous->next : &streams->first) = client->next;
    if (client->next)
        client->next->previous = client->previous;
    streams->count--;
    metric_set(&clients, NULL, NULL, (double)streams->count);
    client->gone = true;
    client->connection = NULL;
    if (!client->fetching && !client->checking)
        client_free(client);
}

static void
resume(struct client *client)
{
    if (!client->suspended)
        return;
    client->suspended = false;
    MHD_resume_connection(client->connection);
}

static void on_page(void *context, const struct rpc_answer *answer);

static struct status
fetch(struct client *client)
{
    struct identity_principal principal;
    struct gateway *gateway = client->streams->gateway;
    struct arena arena;
    struct status status;

    if (client->system)
        identity_to_principal(client->system, &principal);
    else
        event_own_principal(&principal);
    arena_init(&arena, 1 << 20);
    status = event_read_start(gateway, &principal.principal, &client->filter, client->position,
                              PAGE_EVENTS, mono_add_ms(clock_mono(gateway->clock), PAGE_MS),
                              on_page, client, &arena);
    arena_fini(&arena);
    if (!failed(status))
        client->fetching = true;
    return status;
}

/* The client comes back by itself, to this gateway or another, with its last id. */
static void
end_soon(struct client *client)
{
    buffer_printf(&client->pending, "retry: %d\n\n", RETRY_MS);
    client->ending = true;
    resume(client);
}

static struct status
take_page(struct client *client, const struct rpc_answer *answer, struct arena *arena)
{
    struct event_page page;

    TRY(answer->status);
    TRY(event_page_unpack(answer->packed, arena, &page));
    for (size_t i = 0; i < page.events->n_events; i++) {
        struct ring_event *event =
            feed_make_event(client->streams->gateway->events, page.events->events[i], arena);

        TRY(need(event));
        if (event_visible(&client->filter, &event->traits))
            buffer_put(&client->pending, event->frame, event->frame_size);
        free(event);
    }
    TRY(buffer_check(&client->pending, arena));
    if (page.through <= client->position && client->position < page.head)
        return FAIL(arena, UNAVAILABLE, "the log gave an empty page");
    client->position = page.through;
    return OK;
}

static void client_open(struct client *client);

static void
on_page(void *context, const struct rpc_answer *answer)
{
    struct client *client = context;
    struct arena arena;
    struct status status;

    client->fetching = false;
    if (client->gone) {
        if (!client->checking)
            client_free(client);
        return;
    }
    arena_init(&arena, PAGE_ARENA_BYTES);
    status = take_page(client, answer, &arena);
    if (client->opening) {
        struct exchange *exchange = client->opening;

        client->opening = NULL;
        exchange->gateway->working--;
        if (failed(status)) {
            client_leave(client);
            exchange_refuse(exchange, status, 0);
        } else {
            client->opening = exchange;
            client_open(client);
        }
    } else if (failed(status)) {
        end_soon(client);
    } else {
        resume(client);
    }
    arena_fini(&arena);
}

/* Copies from the ring what the client may see; 0: there is nothing now, -1: it is too late. */
static ssize_t
copy_from_ring(struct client *client, char *into, size_t room)
{
    const struct ring *ring = client->streams->gateway->ring;
    size_t copied = 0;

    while (copied < room) {
        const struct ring_event *event = ring_next(ring, client->position);
        size_t part;

        if (client->sending && (!event || event->position != client->sending))
            return -1; /* the ring has lost it while half of it was out */
        if (!event) {
            client->position =
                ring_through(ring) > client->position ? ring_through(ring) : client->position;
            break;
        }
        if (!client->sending && !event_visible(&client->filter, &event->traits)) {
            client->position = event->position;
            continue;
        }
        part = event->frame_size - client->sent_bytes;
        if (part > room - copied)
            part = room - copied;
        memcpy(into + copied, event->frame + client->sent_bytes, part);
        copied += part;
        client->sent_bytes += part;
        client->sending = event->position;
        if (client->sent_bytes == event->frame_size) {
            client->position = event->position;
            client->sending = 0;
            client->sent_bytes = 0;
        }
    }
    return (ssize_t)copied;
}

static size_t
copy_pending(struct client *client, char *into, size_t room)
{
    size_t part = client->pending.size - client->pending_sent;

    if (part > room)
        part = room;
    if (part > 0)
        memcpy(into, client->pending.data + client->pending_sent, part);
    client->pending_sent += part;
    if (client->pending_sent == client->pending.size) {
        buffer_fini(&client->pending); /* most clients wait most of the time */
        client->pending_sent = 0;
    }
    return part;
}

/* MHD asks for more to send. */
static ssize_t
stream_read(void *context, uint64_t offset, char *into, size_t room)
{
    struct client *client = context;
    const struct ring *ring = client->streams->gateway->ring;
    ssize_t copied = 0;

    (void)offset;
    /* An event that is half out is finished first: what is pending must not cut it in two.  The
     * ring does not know which types a system may see: it is served by the log. */
    if (client->sending || client->pending.size == 0) {
        if (client->ending && !client->sending)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (client->sending || (!client->system && client->position >= ring_after(ring)))
            copied = copy_from_ring(client, into, room);
        else if (client->position < ring_through(ring) && !client->fetching &&
                 failed(fetch(client)))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (copied < 0)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (copied > 0)
            return copied;
    }
    if (client->pending.size > 0)
        return (ssize_t)copy_pending(client, into, room);
    client->suspended = true;
    MHD_suspend_connection(client->connection);
    return 0;
}

static void
stream_free(void *context)
{
    client_leave(context);
}

static bool
has_something(const struct client *client, const struct ring *ring, uint64_t from)
{
    const struct ring_event *event;

    while ((event = ring_next(ring, from))) {
        if (event_visible(&client->filter, &event->traits))
            return true;
        from = event->position;
    }
    return false;
}

void
streams_wake(struct streams *streams, uint64_t from)
{
    const struct ring *ring = streams->gateway->ring;

    for (struct client *client = streams->first; client; client = client->next) {
        if (!client->suspended || client->fetching)
            continue;
        if (client->position < from || has_something(client, ring, from))
            resume(client);
        else
            client->position = ring_through(ring);
    }
}

static void
on_checked(void *context, bool good)
{
    struct client *client = context;

    client->checking = false;
    if (client->gone) {
        if (!client->fetching)
            client_free(client);
        return;
    }
    if (!good)
        end_soon(client);
}

void
streams_tick(struct streams *streams)
{
    struct gateway *gateway = streams->gateway;
    const struct mono now = clock_mono(gateway->clock);
    struct client *next;

    for (struct client *client = streams->first; client; client = next) {
        next = client->next;
        if (!client->connection || client->ending ||
            mono_left_ms(mono_add_ms(client->heartbeat, STREAM_HEARTBEAT_MS), now) > 0)
            continue;
        client->heartbeat = now;
        if (client->pending.size == 0)
            buffer_puts(&client->pending, ":\n\n");
        if (client->credential && !client->checking) {
            client->checking = true;
            auth_check_again(gateway->auth, client->credential_hash, client->credential,
                             on_checked, client);
        }
        if (!client->fetching)
            resume(client);
    }
}

void
streams_drain(struct streams *streams)
{
    for (struct client *client = streams->first; client; client = client->next)
        if (client->connection && !client->ending)
            end_soon(client);
}

/* Takes copies of what lives in the exchange. */
static struct status
client_fill(struct client *client, struct exchange *exchange, const struct event_query *query)
{
    const char *credential;
    bool by_cookie;

    memcpy(client->filter.tenant_id, query->filter.tenant_id, sizeof client->filter.tenant_id);
    for (size_t i = 0; i < query->filter.term_count; i++) {
        client->filter.terms[i].kind = query->filter.terms[i].kind;
        TRY(need(client->filter.terms[i].text = strdup(query->filter.terms[i].text)));
        client->filter.term_count++;
    }
    TRY(auth_credential(exchange, &credential, &by_cookie));
    if (credential) {
        TRY(need(client->credential = strdup(credential)));
        auth_hash(credential, client->credential_hash);
    }
    if (exchange->identity->kind == WIRE__V1__PRINCIPAL__KIND__SYSTEM) {
        TRY(need(client->system = malloc(sizeof *client->system)));
        *client->system = *exchange->identity;
    }
    return OK;
}

/* Queues the response; from now on the client belongs to it. */
static void
client_open(struct client *client)
{
    struct exchange *exchange = client->opening;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, stream_read, client, stream_free);

    client->opening = NULL;
    if (!response) {
        client_leave(client);
        exchange_refuse(exchange, need(NULL), 0);
        return;
    }
    client->connection = exchange->connection;
    (void)MHD_add_response_header(response, "Content-Type", "text/event-stream");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "X-Accel-Buffering", "no");
    exchange_answer(exchange, 200, response);
}

/* Where to begin: Last-Event-ID, `after`, or now. */
static struct status
find_place(struct exchange *exchange, const struct event_query *query, uint64_t *ret)
{
    const struct ring *ring = exchange->gateway->ring;
    const char *last = exchange_header(exchange, "Last-Event-ID");
    char *end;

    *ret = ring_through(ring);
    if (query->has_after)
        *ret = query->after;
    if (last && *last) {
        if (strspn(last, "0123456789") != strlen(last) || strlen(last) > 19)
            return FAIL_FIELD(&exchange->arena, "/Last-Event-ID", "must be a position");
        *ret = strtoull(last, &end, 10);
    }
    return OK;
}

static struct status
start(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;
    struct streams *streams = gateway->streams;
    struct event_query query;
    struct client *client;
    uint64_t position;
    struct status status;

    TRY(event_query_read(exchange, &query));
    TRY(find_place(exchange, &query, &position));
    if (!ring_live(gateway->ring, exchange->started))
        return FAIL(&exchange->arena, UNAVAILABLE, "the event log cannot be reached now");
    if (gateway->draining)
        return FAIL(&exchange->arena, UNAVAILABLE, "this gateway is stopping");
    if (streams->count >= gateway->settings->stream_clients)
        return FAIL(&exchange->arena, RESOURCE_EXHAUSTED, "too many clients follow the stream");
    TRY(need(client = calloc(1, sizeof *client)));
    *client = (struct client){.streams = streams,
                              .next = streams->first,
                              .position = position,
                              .heartbeat = exchange->started,
                              .opening = exchange};
    buffer_init(&client->pending, PENDING_BYTES);
    if (client->next)
        client->next->previous = client;
    streams->first = client;
    streams->count++;
    metric_set(&clients, NULL, NULL, (double)streams->count);
    status = client_fill(client, exchange, &query);
    if (!failed(status)) {
        /* The first bytes show that the stream is open. */
        buffer_printf(&client->pending, "retry: %d\n\n", RETRY_MS * 4);
        if (client->position >= ring_after(gateway->ring)) {
            client_open(client);
            return OK;
        }
        status = fetch(client);
    }
    if (failed(status))
        client_leave(client);
    else
        gateway->working++;
    return status;
}

void
own_events_stream(struct exchange *exchange)
{
    const struct status status = start(exchange);

    if (failed(status))
        exchange_refuse(exchange, status, 0);
}
