#include "common/wire/rpc_flight.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/base/metric.h"
#include "common/base/uuid.h"
#include "common/wire/rpc_head.h"

#define ATTEMPT_MAX_MS 60000
#define PAUSE_MS 50 /* after a refusal by every instance; doubled each time */
#define PAUSE_MAX_MS 400
#define LOOK_MS 1000     /* longest wait of a poll */
#define UNREACHED_MS 100 /* how often a call without an instance looks again */
#define TAKE_MAX 512     /* answers taken from an instance at once */
#define ROUNDS_MAX 16    /* of taking answers and sending what they lead to */
#define WAKES_MAX 64

static struct metric retries_total = METRIC("rpc_client_retries_total", METRIC_COUNTER,
                                            "attempts after the first", "service", NULL);
static struct metric late_total =
    METRIC("rpc_client_late_total", METRIC_COUNTER, "answers that nobody waits for any more",
           "service", NULL);

static struct mono
now_of(const struct rpc_client *client)
{
    return clock_mono(client->config.clock);
}

static struct mono
earlier(struct mono a, struct mono b)
{
    return a.ns < b.ns ? a : b;
}

static void
set_due(struct rpc_client *client, struct rpc_slot *slot, struct mono due)
{
    slot->due = earlier(due, slot->deadline);
    client->next_due = earlier(client->next_due, slot->due);
}

static void
forget_attempt(struct rpc_slot *slot, struct rpc_peer *peer)
{
    for (uint32_t i = 0; i < slot->peer_count; i++) {
        if (slot->peers[i] != peer)
            continue;
        peer->outstanding--;
        slot->peer_count--;
        memmove(&slot->peers[i], &slot->peers[i + 1],
                (slot->peer_count - i) * sizeof(struct rpc_peer *));
        return;
    }
}

static void
note_attempt(struct rpc_slot *slot, struct rpc_peer *peer)
{
    if (slot->peer_count == RPC_SLOT_PEERS)
        forget_attempt(slot, slot->peers[0]);
    slot->peers[slot->peer_count++] = peer;
    peer->outstanding++;
    peer->touched = true;
}

/* Ends a call.  The slot is free before the callback, which may start the next call. */
static void
finish(struct rpc_client *client, struct rpc_slot *slot, const struct rpc_answer *answer)
{
    void (*done)(void *context, const struct rpc_answer *answer) = slot->done;
    void *context = slot->context;

    while (slot->peer_count > 0)
        forget_attempt(slot, slot->peers[0]);
    rpc_slots_give(&client->slots, slot);
    done(context, answer);
}

static void
finish_failed(struct rpc_client *client, struct rpc_slot *slot, struct status status)
{
    const struct rpc_answer answer = {.status = status};

    finish(client, slot, &answer);
}

/* The time is over.  What is known decides: a refusal has no effect, a silence may have had
 * one. */
static void
finish_late(struct rpc_client *client, struct rpc_slot *slot)
{
    Wire__V1__ReplyHead head = WIRE__V1__REPLY_HEAD__INIT;
    char refusal[RPC_SLOT_DETAIL_BYTES];

    if (slot->peer_count > 0) {
        finish_failed(client, slot,
                      FAIL(NULL, DEADLINE_EXCEEDED, "no answer within the time allowed"));
    } else if (slot->refusal[0]) {
        struct rpc_answer answer = {.status = {.code = CODE_UNAVAILABLE}, .head = &head};

        memcpy(refusal, slot->refusal, sizeof refusal); /* the slot is given back */
        head.code = WIRE__V1__CODE__UNAVAILABLE;
        head.retry_after_ms = slot->retry_after_ms;
        answer.status.detail = head.detail = refusal;
        finish(client, slot, &answer);
    } else {
        finish_failed(client, slot,
                      (struct status){.code = CODE_UNAVAILABLE,
                                      .detail = "no instance of the service can be reached"});
    }
}

static size_t
put_varint(uint8_t *into, uint32_t value)
{
    size_t size = 0;

    for (; value >= 0x80; value >>= 7)
        into[size++] = (uint8_t)(value | 0x80);
    into[size++] = (uint8_t)value;
    return size;
}

/* The head as packed at the start, then what differs between attempts, then the body: the
 * fields of a message may come in any order. */
static bool
make_frame(const struct rpc_slot *slot, uint32_t remaining_ms, zmq_msg_t *ret)
{
    uint8_t middle[24], *data;
    size_t size = 0;

    middle[size++] = 3 << 3; /* attempt */
    size += put_varint(middle + size, slot->attempts + 1);
    middle[size++] = 4 << 3; /* remaining_ms */
    size += put_varint(middle + size, remaining_ms);
    size += rpc_head_put_body_tag(middle + size, slot->body_size);
    if (zmq_msg_init_size(ret, slot->head_size + size + slot->body_size) != 0)
        return false;
    data = zmq_msg_data(ret);
    memcpy(data, slot->head, slot->head_size);
    memcpy(data + slot->head_size, middle, size);
    if (slot->body_size > 0)
        memcpy(data + slot->head_size + size, slot->body, slot->body_size);
    return true;
}

static bool
send_attempt(const struct rpc_slot *slot, struct rpc_peer *peer, struct mono now)
{
    zmq_msg_t frame;
    bool sent;

    if (!make_frame(slot, (uint32_t)mono_left_ms(slot->deadline, now), &frame))
        return false;
    sent = zmq_msg_send(&frame, peer->socket, ZMQ_DONTWAIT) >= 0;
    (void)zmq_msg_close(&frame); /* empty when sent */
    return sent;
}

/* Sends the call to the best instance, if there is one; `fresh` as for rpc_service_choose. */
static bool
try_attempt(struct rpc_client *client, struct rpc_slot *slot, bool fresh, struct mono now)
{
    for (size_t i = 0; i <= slot->service->peer_count; i++) {
        struct rpc_peer *peer = rpc_service_choose(slot->service, slot, fresh, now);

        if (!peer)
            return false;
        if (!send_attempt(slot, peer, now)) {
            rpc_peer_failed(peer, now); /* does not read, or is gone and nobody has told yet */
            continue;
        }
        if (slot->attempts++ > 0)
            metric_add(&retries_total, slot->service->name, NULL, 1);
        note_attempt(slot, peer);
        set_due(client, slot, mono_add_ms(now, slot->attempt_ms));
        slot->attempt_ms *= 2;
        if (slot->attempt_ms > ATTEMPT_MAX_MS)
            slot->attempt_ms = ATTEMPT_MAX_MS;
        return true;
    }
    return false;
}

static void
attempt(struct rpc_client *client, struct rpc_slot *slot, struct mono now)
{
    if (!try_attempt(client, slot, false, now))
        set_due(client, slot, mono_add_ms(now, UNREACHED_MS));
}

void
rpc_flight_begin(struct rpc_client *client, struct rpc_slot *slot)
{
    slot->next_begun = NULL;
    if (!client->polling) {
        attempt(client, slot, now_of(client));
        return;
    }
    slot->due = slot->deadline;
    if (client->begun)
        client->begun_last->next_begun = slot;
    else
        client->begun = slot;
    client->begun_last = slot;
}

static void
send_begun(struct rpc_client *client)
{
    const struct mono now = now_of(client);

    while (client->begun) {
        struct rpc_slot *slot = client->begun;

        client->begun = slot->next_begun;
        attempt(client, slot, now);
    }
}

/* An instance refused (UNAVAILABLE): another at once, or all again after a pause. */
static void
refused(struct rpc_client *client, struct rpc_slot *slot, const Wire__V1__ReplyHead *head,
        struct mono now)
{
    (void)snprintf(slot->refusal, sizeof slot->refusal, "%s",
                   head->detail[0] ? head->detail : "the service is not available");
    slot->retry_after_ms = head->retry_after_ms;
    if (slot->peer_count > 0 || try_attempt(client, slot, true, now))
        return;
    slot->pause_ms = slot->pause_ms ? slot->pause_ms * 2 : PAUSE_MS;
    if (slot->pause_ms > PAUSE_MAX_MS)
        slot->pause_ms = PAUSE_MAX_MS;
    set_due(client, slot, mono_add_ms(now, slot->pause_ms));
}

static void
answered(struct rpc_client *client, struct rpc_slot *slot, const Wire__V1__ReplyHead *head,
         struct bytes packed)
{
    struct rpc_answer answer = {.head = head, .packed = packed};

    answer.status.code = code_known((int)head->code) ? (enum code)head->code : CODE_INTERNAL;
    if (failed(answer.status)) {
        answer.status.detail = head->detail;
        answer.status.field = head->field[0] ? head->field : NULL;
    }
    finish(client, slot, &answer);
}

static void
take_reply(struct rpc_client *client, struct rpc_peer *peer, struct bytes frame)
{
    Wire__V1__ReplyHead head;
    struct bytes packed, body;
    struct rpc_slot *slot;

    arena_reset(&client->arena);
    if (failed(rpc_head_split(frame, &client->arena, &packed, &body)) ||
        failed(rpc_head_read_reply(packed, &client->arena, &head)))
        return; /* not a reply: the attempt ends by its limit */
    rpc_peer_answered(peer);
    peer->draining |= head.draining;
    slot = strlen(head.id) == UUID_SIZE - 1 ? rpc_slots_find(&client->slots, head.id) : NULL;
    if (!slot || slot->service != peer->service) {
        metric_add(&late_total, peer->service->name, NULL, 1);
        return;
    }
    forget_attempt(slot, peer);
    if (head.code != WIRE__V1__CODE__UNAVAILABLE) {
        answered(client, slot, &head, body);
        return;
    }
    rpc_peer_refused(peer, now_of(client));
    refused(client, slot, &head, now_of(client));
}

/* One answer of an instance; false when there is none. */
static bool
take_message(struct rpc_client *client, struct rpc_peer *peer)
{
    zmq_msg_t frame;
    int count = 0;
    bool more = true;

    (void)zmq_msg_init(&frame); /* cannot fail */
    while (more && zmq_msg_recv(&frame, peer->socket, ZMQ_DONTWAIT) >= 0) {
        count++;
        more = zmq_msg_more(&frame);
    }
    if (count == 1)
        take_reply(client, peer, (struct bytes){zmq_msg_data(&frame), zmq_msg_size(&frame)});
    (void)zmq_msg_close(&frame); /* a message of ours */
    return count > 0;
}

/* Takes all answers.  Ends with a look that finds nothing, after every send made on the way: so
 * the socket's descriptor tells of all that comes later. */
static void
drain_peer(struct rpc_client *client, struct rpc_peer *peer)
{
    for (int i = 0; i < TAKE_MAX; i++)
        if (!take_message(client, peer)) {
            peer->touched = false;
            return;
        }
}

/* The connection is gone, and with it every answer that was to come by it. */
static void
lost(struct rpc_client *client, struct rpc_peer *peer)
{
    const struct mono now = now_of(client);
    struct rpc_slot *slot;
    size_t cursor = 0;

    if (peer->outstanding == 0)
        return;
    while ((slot = rpc_slots_next(&client->slots, &cursor))) {
        const uint32_t before = slot->peer_count;

        forget_attempt(slot, peer);
        if (slot->peer_count < before && slot->peer_count == 0)
            set_due(client, slot, now);
    }
}

static void
reached(struct rpc_client *client, const struct rpc_service *service)
{
    const struct mono now = now_of(client);
    struct rpc_slot *slot;
    size_t cursor = 0;

    while ((slot = rpc_slots_next(&client->slots, &cursor)))
        if (slot->service == service && slot->peer_count == 0 && !slot->refusal[0])
            set_due(client, slot, now);
}

static void
take_events(struct rpc_client *client, struct rpc_peer *peer)
{
    if (rpc_peer_take_events(peer))
        lost(client, peer);
    if (peer->connected)
        reached(client, peer->service);
}

/* Looks at every call that is due.  next_due only ever falls behind the truth, so that most
 * polls pass here without a look. */
static void
expire(struct rpc_client *client)
{
    const struct mono now = now_of(client);
    struct rpc_slot *slot;
    size_t cursor = 0;

    if (client->next_due.ns > now.ns)
        return;
    client->next_due = mono_add_ms(now, LOOK_MS);
    while ((slot = rpc_slots_next(&client->slots, &cursor))) {
        if (slot->due.ns > now.ns) {
            client->next_due = earlier(client->next_due, slot->due);
            continue;
        }
        if (slot->deadline.ns <= now.ns) {
            finish_late(client, slot);
            continue;
        }
        if (slot->peer_count > 0)
            rpc_peer_failed(slot->peers[slot->peer_count - 1], now);
        attempt(client, slot, now);
    }
}

static void
take_wakes(struct rpc_client *client, int wait_ms)
{
    struct epoll_event events[WAKES_MAX];
    const int count = epoll_wait(client->epoll_fd, events, WAKES_MAX, wait_ms);

    for (int i = 0; i < count; i++) {
        const struct rpc_watch *watch = events[i].data.ptr;
        uint64_t ignored;

        if (!watch) {
            (void)!read(client->kick_fd, &ignored, sizeof ignored); /* readable: cannot fail */
            client->kicked = false;
        } else if (watch->monitor) {
            take_events(client, watch->peer);
        } else {
            watch->peer->touched = true;
        }
    }
}

static void
drain_touched(struct rpc_client *client)
{
    for (size_t i = 0; i < client->service_count; i++)
        for (size_t j = 0; j < client->services[i].peer_count; j++)
            if (client->services[i].peers[j]->touched)
                drain_peer(client, client->services[i].peers[j]);
}

/* An instance may have answers that its descriptor does not tell of. */
static bool
any_touched(const struct rpc_client *client)
{
    for (size_t i = 0; i < client->service_count; i++)
        for (size_t j = 0; j < client->services[i].peer_count; j++)
            if (client->services[i].peers[j]->touched)
                return true;
    return false;
}

static void
kick(struct rpc_client *client)
{
    const uint64_t one = 1;

    if (client->kicked)
        return;
    client->kicked = true;
    (void)!write(client->kick_fd, &one, sizeof one); /* cannot fail: the counter stays low */
}

void
rpc_flight_poll(struct rpc_client *client, int wait_ms)
{
    if (client->polling)
        return;
    client->polling = true;
    for (size_t i = 0; i < client->service_count; i++)
        rpc_service_refresh(&client->services[i]);
    take_wakes(client, wait_ms);
    for (int i = 0; i < ROUNDS_MAX; i++) {
        drain_touched(client);
        expire(client);
        send_begun(client);
        if (!any_touched(client))
            break;
    }
    client->polling = false;
    rpc_flight_settle(client);
}

void
rpc_flight_settle(struct rpc_client *client)
{
    if (!client->polling && any_touched(client))
        kick(client);
}

int
rpc_flight_next_ms(const struct rpc_client *client)
{
    int ms = mono_left_ms(client->next_due, now_of(client));

    if (client->kicked || any_touched(client))
        return 0;
    return ms < LOOK_MS ? ms : LOOK_MS;
}

void
rpc_flight_end(struct rpc_client *client)
{
    struct rpc_slot *slot;
    size_t cursor = 0;

    client->polling = true; /* a callback may try to go on */
    while ((slot = rpc_slots_next(&client->slots, &cursor)))
        finish_failed(client, slot,
                      (struct status){.code = CODE_UNAVAILABLE, .detail = "the client ends"});
}
