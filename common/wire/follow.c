#include "common/wire/follow.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/wire/follow_frame.h"
#include "events/v1/stream.pb-c.h"

#define CREDIT_DEFAULT 4096
#define CONNECT_MS 1500 /* for the first sign of life of an instance */
#define SILENCE_MS 3000 /* the service sends a heartbeat each second */
#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS 1000

struct follow {
    void *zmq_context;
    struct resolver *resolver;
    const struct clock *clock;
    bool curve, raw;
    const struct key_pair *own;
    char server_public[KEY_TEXT_SIZE];
    const char *const *types;
    uint32_t credit;
    int handle; /* of the resolver */

    void *socket;           /* NULL: between two instances */
    bool asked;             /* Follow has been sent */
    bool alive;             /* the instance has answered */
    struct mono heard;      /* or when the socket was made */
    struct mono not_before; /* the next socket */
    int pause_ms;
    size_t turn;      /* which instance is next */
    uint64_t through; /* last position returned */
    uint32_t unpaid;  /* events returned for which no credit was given back */
    uint64_t gaps;
};

/* Something a caller must hear, or nothing yet. */
enum outcome { NOTHING, SOMETHING };

struct status
follow_create(const struct follow_config *config, struct arena *arena, struct follow **ret)
{
    scoped(follow_destroy) struct follow *follow = calloc(1, sizeof *follow);

    TRY(need(follow));
    follow->zmq_context = config->zmq_context;
    follow->resolver = config->resolver;
    follow->clock = config->clock;
    follow->curve = config->curve;
    follow->raw = config->raw;
    follow->own = config->own;
    follow->types = config->types;
    follow->credit = config->credit ? config->credit : CREDIT_DEFAULT;
    follow->through = config->after;
    follow->not_before = clock_mono(config->clock);
    follow->turn = (size_t)clock_wall(config->clock).unix_ms; /* spread over the instances */
    if (config->curve)
        (void)snprintf(follow->server_public, sizeof follow->server_public, "%s",
                       config->server_public);
    if (follow->credit > FOLLOW_EVENTS_MAX)
        return FAIL_FIELD(arena, "credit", "at most %d", FOLLOW_EVENTS_MAX);
    TRY(resolver_watch(config->resolver, config->endpoint_list, arena, &follow->handle));
    *ret = take(&follow);
    return OK;
}

void
follow_destroy(struct follow **follow)
{
    if (*follow)
        socket_close(&(*follow)->socket);
    free(*follow);
    *follow = NULL;
}

uint64_t
follow_gaps(const struct follow *follow)
{
    return follow->gaps;
}

/* Leaves the instance; the next one is asked after `pause_ms`. */
static void
leave(struct follow *follow, int pause_ms)
{
    socket_close(&follow->socket);
    follow->turn++;
    follow->not_before = mono_add_ms(clock_mono(follow->clock), pause_ms);
}

static void
leave_failed(struct follow *follow)
{
    follow->pause_ms = follow->pause_ms ? follow->pause_ms * 2 : PAUSE_FIRST_MS;
    if (follow->pause_ms > PAUSE_MAX_MS)
        follow->pause_ms = PAUSE_MAX_MS;
    follow->alive = false;
    leave(follow, follow->pause_ms);
}

static struct status
join(struct follow *follow, struct arena *arena)
{
    const struct wire_curve curve = {
        .on = follow->curve, .own = follow->own, .server_public = follow->server_public};
    struct resolved resolved;

    resolver_get(follow->resolver, follow->handle, &resolved);
    if (resolved.count == 0) {
        leave_failed(follow);
        return OK;
    }
    TRY(socket_connect(follow->zmq_context, ZMQ_DEALER,
                       resolved.endpoints[follow->turn % resolved.count], &curve,
                       (struct socket_limits){.reads_parts = true}, arena, &follow->socket));
    follow->asked = false;
    follow->unpaid = 0;
    follow->heard = clock_mono(follow->clock);
    return OK;
}

/* False when the socket takes nothing now: the connection is not made yet, or is full. */
static bool
send_frame(struct follow *follow, const Events__V1__ClientFrame *frame, struct arena *arena)
{
    struct bytes packed;

    return !failed(wire_pack(&frame->base, arena, &packed)) &&
           zmq_send(follow->socket, packed.data, packed.size, ZMQ_DONTWAIT) >= 0;
}

static void
ask(struct follow *follow, struct arena *arena)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Follow wanted = EVENTS__V1__FOLLOW__INIT;
    Events__V1__Filter filter = EVENTS__V1__FILTER__INIT;
    size_t count = 0;

    while (follow->types && follow->types[count])
        count++;
    filter.n_types = count;
    /* protobuf-c has no const here; packing only reads. */
    filter.types = (const char **)(uintptr_t)follow->types;
    wanted.after = follow->through;
    wanted.filter = &filter;
    wanted.credit = follow->credit;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW;
    frame.follow = &wanted;
    follow->asked = send_frame(follow, &frame, arena);
}

/* Half of the credit at a time, so that the stream neither stops nor is chattered at. */
static void
pay(struct follow *follow, struct arena *arena)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Credit credit = EVENTS__V1__CREDIT__INIT;

    if (!follow->socket || !follow->asked || follow->unpaid < (follow->credit + 1) / 2)
        return;
    credit.events = follow->unpaid;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_CREDIT;
    frame.credit = &credit;
    if (send_frame(follow, &frame, arena))
        follow->unpaid = 0;
}

/* A range that does not begin where the last one ended: a new connection asks again from there,
 * with nothing of the old stream in it. */
static enum outcome
ask_again(struct follow *follow, uint64_t after)
{
    follow->gaps++;
    log_warn("a batch does not join", KV("expected", follow->through), KV("after", after));
    leave(follow, 0);
    return NOTHING;
}

/* The message that holds the bytes goes before the caller has read them. */
static struct status
keep_bytes(struct bytes packed, struct arena *arena, struct bytes *ret)
{
    char *copy;

    TRY(need(copy = arena_copy_n(arena, packed.data, packed.size)));
    *ret = (struct bytes){(const uint8_t *)copy, packed.size};
    return OK;
}

static struct status
take_batch(struct follow *follow, const Events__V1__Batch *head, struct bytes packed,
           struct arena *arena, struct follow_batch *ret, enum outcome *outcome)
{
    if (head->after != follow->through || head->through < head->after) {
        *outcome = ask_again(follow, head->after);
        return OK;
    }
    if (head->count > FOLLOW_EVENTS_MAX)
        return FAIL(arena, INVALID_ARGUMENT, "a batch of %u events", head->count);
    ret->after = head->after;
    ret->through = head->through;
    ret->head = head->head;
    if (follow->raw)
        TRY(keep_bytes(packed, arena, &ret->packed));
    else
        TRY(follow_unpack_batch(packed, head->count, arena, &ret->events));
    follow->through = head->through;
    follow->unpaid += head->count;
    *outcome = SOMETHING;
    return OK;
}

static struct status
take_heartbeat(struct follow *follow, const Events__V1__Heartbeat *beat,
               struct follow_batch *ret, enum outcome *outcome)
{
    if (beat->through != follow->through) {
        *outcome = ask_again(follow, beat->through);
        return OK;
    }
    *ret = (struct follow_batch){
        .after = follow->through, .through = follow->through, .head = beat->head};
    *outcome = SOMETHING;
    return OK;
}

static struct status
take_end(struct follow *follow, const Events__V1__Ended *ended, struct arena *arena,
         struct follow_batch *ret)
{
    switch (ended->code) {
    case WIRE__V1__CODE__POSITION_GONE:
        leave_failed(follow);
        ret->through = ended->first_kept;
        return FAIL(arena, POSITION_GONE, "%s", ended->detail);
    case WIRE__V1__CODE__PERMISSION_DENIED:
        leave_failed(follow);
        return FAIL(arena, PERMISSION_DENIED, "%s", ended->detail);
    case WIRE__V1__CODE__INVALID_ARGUMENT:
        leave_failed(follow);
        return FAIL(arena, INVALID_ARGUMENT, "%s", ended->detail);
    default: /* draining, restarting, or we were slow: another instance goes on from here */
        log_info("the stream ended", KV("code", code_name((enum code)ended->code)),
                 KV("detail", ended->detail));
        leave_failed(follow);
        return OK;
    }
}

static struct status
take_frame(struct follow *follow, struct bytes head, struct bytes body, struct arena *arena,
           struct follow_batch *ret, enum outcome *outcome)
{
    const Events__V1__ServerFrame *frame;
    ProtobufCMessage *message;

    TRY(wire_unpack(&events__v1__server_frame__descriptor, head, arena, &message));
    frame = (const Events__V1__ServerFrame *)message;
    follow->heard = clock_mono(follow->clock);
    follow->alive = true;
    follow->pause_ms = 0;
    switch (frame->frame_case) {
    case EVENTS__V1__SERVER_FRAME__FRAME_BATCH:
        return take_batch(follow, frame->batch, body, arena, ret, outcome);
    case EVENTS__V1__SERVER_FRAME__FRAME_HEARTBEAT:
        return take_heartbeat(follow, frame->heartbeat, ret, outcome);
    case EVENTS__V1__SERVER_FRAME__FRAME_ENDED:
        return take_end(follow, frame->ended, arena, ret);
    default: /* a frame of a later version */
        return OK;
    }
}

static bool
more(void *socket)
{
    int value = 0;
    size_t size = sizeof value;

    return zmq_getsockopt(socket, ZMQ_RCVMORE, &value, &size) == 0 && value;
}

/* One message, if there is one; parts after the second are dropped. */
static struct status
receive(struct follow *follow, struct arena *arena, struct follow_batch *ret,
        enum outcome *outcome)
{
    zmq_msg_t parts[2], extra;
    struct status status = OK;
    bool whole = false;

    (void)zmq_msg_init(&parts[0]);
    (void)zmq_msg_init(&parts[1]);
    if (zmq_msg_recv(&parts[0], follow->socket, ZMQ_DONTWAIT) >= 0) {
        if (more(follow->socket))
            (void)zmq_msg_recv(&parts[1], follow->socket, ZMQ_DONTWAIT);
        (void)zmq_msg_init(&extra);
        while (more(follow->socket) && zmq_msg_recv(&extra, follow->socket, ZMQ_DONTWAIT) >= 0)
            ;
        (void)zmq_msg_close(&extra);
        whole = true;
    }
    if (whole)
        status =
            take_frame(follow, (struct bytes){zmq_msg_data(&parts[0]), zmq_msg_size(&parts[0])},
                       (struct bytes){zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1])}, arena,
                       ret, outcome);
    (void)zmq_msg_close(&parts[0]);
    (void)zmq_msg_close(&parts[1]);
    if (status.code == CODE_INVALID_ARGUMENT && follow->socket)
        leave_failed(follow); /* bytes that make no sense */
    return status;
}

/* Waits for the socket, or for the time of the next one. */
static void
wait_until(struct follow *follow, struct mono until)
{
    const int ms = mono_left_ms(until, clock_mono(follow->clock));
    zmq_pollitem_t item = {.socket = follow->socket,
                           .events = (short)(ZMQ_POLLIN | (follow->asked ? 0 : ZMQ_POLLOUT))};

    if (follow->socket)
        (void)zmq_poll(&item, 1, ms);
    else
        (void)poll(NULL, 0, ms);
}

static struct mono
earlier(struct mono a, struct mono b)
{
    return a.ns < b.ns ? a : b;
}

/* Looks after the connection; gives the time when that is due again. */
static struct status
tend(struct follow *follow, struct arena *arena, struct mono *ret_due)
{
    const struct mono now = clock_mono(follow->clock);
    const int limit_ms = follow->alive ? SILENCE_MS : CONNECT_MS;

    if (follow->socket && mono_left_ms(mono_add_ms(follow->heard, limit_ms), now) == 0)
        leave_failed(follow);
    if (!follow->socket && mono_left_ms(follow->not_before, now) == 0)
        TRY(join(follow, arena));
    if (follow->socket && !follow->asked)
        ask(follow, arena);
    *ret_due = follow->socket ? mono_add_ms(follow->heard, limit_ms) : follow->not_before;
    return OK;
}

struct status
follow_next(struct follow *follow, int wait_ms, struct arena *arena, struct follow_batch *ret)
{
    const struct mono deadline = mono_add_ms(clock_mono(follow->clock), wait_ms);
    enum outcome outcome = NOTHING;
    struct follow_batch batch = {0};

    pay(follow, arena);
    for (;;) {
        struct status status;
        struct mono due;

        TRY(tend(follow, arena, &due));
        if (follow->socket) {
            status = receive(follow, arena, &batch, &outcome);
            if (status.code == CODE_POSITION_GONE || outcome == SOMETHING)
                *ret = batch;
            TRY(status);
            if (outcome == SOMETHING)
                return OK;
        }
        if (mono_left_ms(deadline, clock_mono(follow->clock)) == 0)
            break;
        wait_until(follow, earlier(deadline, due));
    }
    if (follow->alive)
        return FAIL(arena, DEADLINE_EXCEEDED, "nothing came in %d ms", wait_ms);
    return FAIL(arena, UNAVAILABLE, "no instance of events can be reached");
}
