#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/error.h"
#include "clients/c/frame.h"
#include "clients/c/link.h"

#define SERVER(name) EVENTS__V1__SERVER_FRAME__FRAME_##name
#define CLIENT(name) EVENTS__V1__CLIENT_FRAME__FRAME_##name
#define CREDIT_USUAL 4096
#define CREDIT_MOST 100000
#define TERMS_MOST 256 /* of one list; the server says which are fewer */
#define TERM_BYTES 128
#define CONSUMER_BYTES 64
#define LAST_ACK_MS 500
#define WISH_BYTES ((size_t)1 << 20)
#define FRAME_MOST ((size_t)256 << 10)

struct samverka_follow {
    struct smv_link link;
    struct smv_pool wish_pool; /* texts of `follow` */
    struct smv_pool pool;      /* of the last message */
    zmq_msg_t parts[2];        /* of the last message */
    Events__V1__Follow follow;
    Events__V1__Filter filter;
    bool durable, shared;
    bool joined; /* `through` is that of this connection */
    uint64_t through;
    uint32_t unpaid;         /* events returned for which no credit was given back */
    uint64_t delivered;      /* the last number given to the caller */
    uint64_t delivered_base; /* that of the connection before: the server begins anew */
    uint64_t gaps;
};

/* What has come of a message. */
enum outcome { NOTHING, SOMETHING, FAILED };

static enum samverka_code
take_terms(struct smv_pool *pool, const char *name, const char *const *terms, size_t *ret_count,
           const char ***ret, struct samverka_error *error)
{
    size_t count = 0;

    while (terms && terms[count])
        if (count++ == TERMS_MOST)
            return smv_fail(error, SAMVERKA_INVALID, "%s: at most %d", name, TERMS_MOST);
    *ret_count = count;
    if (!(*ret = smv_pool_alloc(pool, (count + 1) * sizeof(char *))))
        return smv_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        if (!*terms[i] || strnlen(terms[i], TERM_BYTES + 1) > TERM_BYTES || !smv_utf8(terms[i]))
            return smv_fail(error, SAMVERKA_INVALID, "%s: each has 1 to %d bytes of UTF-8",
                            name, TERM_BYTES);
        if (!((*ret)[i] = smv_pool_copy(pool, terms[i])))
            return smv_no_memory(error);
    }
    return SAMVERKA_OK;
}

static enum samverka_code
take_filter(struct samverka_follow *f, const struct samverka_wish *wish,
            struct samverka_error *error)
{
    Events__V1__Filter *into = &f->filter;
    const struct {
        const char *name;
        const char *const *terms;
        size_t *count;
        const char ***list;
    } lists[] = {
        {"types", wish->types, &into->n_types, &into->types},
        {"tenant_ids", wish->tenant_ids, &into->n_tenant_ids, &into->tenant_ids},
        {"subjects", wish->subjects, &into->n_subjects, &into->subjects},
        {"programmes", wish->programmes, &into->n_programmes, &into->programmes},
        {"nuts", wish->nuts, &into->n_nuts, &into->nuts},
        {"concepts", wish->concepts, &into->n_concepts, &into->concepts},
    };

    events__v1__filter__init(into);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const enum samverka_code code = take_terms(&f->wish_pool, lists[i].name, lists[i].terms,
                                                   lists[i].count, lists[i].list, error);

        if (code != SAMVERKA_OK)
            return code;
    }
    return SAMVERKA_OK;
}

static bool
consumer_valid(const char *name)
{
    const size_t size = strnlen(name, CONSUMER_BYTES + 1);

    return size >= 1 && size <= CONSUMER_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == size;
}

static enum samverka_code
take_wish(struct samverka_follow *f, const struct samverka_wish *wish,
          struct samverka_error *error)
{
    const enum samverka_code code = take_filter(f, wish, error);

    if (code != SAMVERKA_OK)
        return code;
    if (wish->credit > CREDIT_MOST)
        return smv_fail(error, SAMVERKA_INVALID, "credit: at most %d", CREDIT_MOST);
    if (wish->after > INT64_MAX)
        return smv_fail(error, SAMVERKA_INVALID, "after: is not a position");
    if (wish->consumer && !consumer_valid(wish->consumer))
        return smv_fail(error, SAMVERKA_INVALID, "consumer: 1 to %d of a-z 0-9 - _ .",
                        CONSUMER_BYTES);
    events__v1__follow__init(&f->follow);
    f->follow.filter = &f->filter;
    f->follow.credit = wish->credit ? wish->credit : CREDIT_USUAL;
    f->durable = wish->consumer != NULL;
    f->shared = f->durable && wish->shared;
    f->follow.shared = f->shared;
    if (f->durable && !(f->follow.consumer = smv_pool_copy(&f->wish_pool, wish->consumer)))
        return smv_no_memory(error);
    f->follow.after = wish->after;
    f->through = wish->after;
    return SAMVERKA_OK;
}

enum samverka_code
samverka_follow_open(const struct samverka_place *place, const struct samverka_wish *wish,
                     struct samverka_follow **follow, struct samverka_error *error)
{
    struct samverka_follow *f = calloc(1, sizeof *f);
    enum samverka_code code;

    if (!f)
        return smv_no_memory(error);
    smv_pool_init(&f->wish_pool, WISH_BYTES);
    smv_pool_init(&f->pool, SMV_POOL_BYTES);
    (void)zmq_msg_init(&f->parts[0]);
    (void)zmq_msg_init(&f->parts[1]);
    if ((code = take_wish(f, wish, error)) != SAMVERKA_OK ||
        (code = smv_link_open(&f->link, place, error)) != SAMVERKA_OK) {
        samverka_follow_close(f);
        return code;
    }
    *follow = f;
    return SAMVERKA_OK;
}

static void
drop_message(struct samverka_follow *f)
{
    for (size_t i = 0; i < 2; i++) {
        (void)zmq_msg_close(&f->parts[i]);
        (void)zmq_msg_init(&f->parts[i]);
    }
    smv_pool_reset(&f->pool);
}

void
samverka_follow_close(struct samverka_follow *follow)
{
    if (!follow)
        return;
    drop_message(follow);
    smv_link_close(&follow->link, follow->durable ? LAST_ACK_MS : 0);
    smv_pool_fini(&follow->pool);
    smv_pool_fini(&follow->wish_pool);
    free(follow);
}

uint64_t
samverka_follow_gaps(const struct samverka_follow *follow)
{
    return follow->gaps;
}

static bool
send_frame(struct samverka_follow *f, const Events__V1__ClientFrame *frame)
{
    const size_t size = protobuf_c_message_get_packed_size(&frame->base);
    uint8_t *packed = size <= FRAME_MOST ? malloc(size) : NULL;
    bool sent;

    if (!packed)
        return false;
    (void)protobuf_c_message_pack(&frame->base, packed);
    sent = smv_link_send(&f->link, packed, size, NULL, 0);
    free(packed);
    return sent;
}

static void
ask(struct samverka_follow *f)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;

    if (!f->durable) /* the server knows where a durable consumer is; a new one begins anew */
        f->follow.after = f->through;
    f->joined = !f->durable;
    f->unpaid = 0;
    f->delivered_base = f->delivered;
    frame.frame_case = CLIENT(FOLLOW);
    frame.follow = &f->follow;
    if (!send_frame(f, &frame))
        smv_link_leave_failed(&f->link);
}

/* Half of the credit at a time, so that the stream neither stops nor is chattered at. */
static void
pay(struct samverka_follow *f)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Credit credit = EVENTS__V1__CREDIT__INIT;

    if (!f->link.socket || f->unpaid < (f->follow.credit + 1) / 2)
        return;
    credit.events = f->unpaid;
    frame.frame_case = CLIENT(CREDIT);
    frame.credit = &credit;
    if (send_frame(f, &frame))
        f->unpaid = 0;
}

enum samverka_code
samverka_follow_ack(struct samverka_follow *follow, uint64_t delivery,
                    struct samverka_error *error)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Ack ack = EVENTS__V1__ACK__INIT;

    if (!follow->durable || delivery > follow->delivered)
        return smv_fail(error, SAMVERKA_INVALID, "delivery %" PRIu64 " was not made", delivery);
    if (delivery <= follow->delivered_base || !follow->link.socket)
        return SAMVERKA_OK; /* of a connection that is gone: the work comes again */
    ack.delivery = delivery - follow->delivered_base;
    frame.frame_case = CLIENT(ACK);
    frame.ack = &ack;
    if (!send_frame(follow, &frame))
        smv_link_leave_failed(&follow->link); /* it reads nothing: this is given out again */
    return SAMVERKA_OK;
}

/* With nothing of the old stream in it, a new connection asks again from where we are. */
static enum outcome
ask_again(struct samverka_follow *f)
{
    f->gaps++;
    smv_link_leave(&f->link);
    return NOTHING;
}

static enum outcome
take_batch(struct samverka_follow *f, const struct smv_frame *frame, struct samverka_batch *ret)
{
    const Events__V1__Batch *batch = frame->server->batch;

    if (f->durable && batch->delivery != f->delivered - f->delivered_base + 1)
        return ask_again(f);
    if (!f->shared && f->joined && batch->after != f->through)
        return ask_again(f);
    f->joined = true;
    f->through = batch->through;
    f->unpaid += batch->count;
    f->delivered += f->durable;
    *ret = (struct samverka_batch){.after = batch->after,
                                   .through = batch->through,
                                   .head = batch->head,
                                   .delivery = f->durable ? f->delivered : 0,
                                   .count = frame->count,
                                   .events = frame->events};
    return SOMETHING;
}

static enum outcome
take_heartbeat(struct samverka_follow *f, const Events__V1__Heartbeat *beat,
               struct samverka_batch *ret)
{
    if (!f->shared && f->joined && beat->through != f->through)
        return ask_again(f);
    f->joined = true;
    f->through = beat->through;
    *ret = (struct samverka_batch){
        .after = beat->through, .through = beat->through, .head = beat->head};
    return SOMETHING;
}

/* A server that stops or found us slow is left for another without a word to the caller. */
static enum outcome
take_end(struct samverka_follow *f, const Events__V1__Ended *ended,
         struct samverka_error *error)
{
    smv_link_leave_failed(&f->link);
    switch (ended->code) {
    case WIRE__V1__CODE__OK:
    case WIRE__V1__CODE__UNAVAILABLE:
    case WIRE__V1__CODE__RESOURCE_EXHAUSTED:
        return NOTHING;
    case WIRE__V1__CODE__POSITION_GONE:
        (void)smv_fail(error, SAMVERKA_GONE, "%s", ended->detail);
        error->first_kept = ended->first_kept;
        return FAILED;
    case WIRE__V1__CODE__PERMISSION_DENIED:
        (void)smv_fail(error, SAMVERKA_DENIED, "%s", ended->detail);
        return FAILED;
    case WIRE__V1__CODE__ABORTED:
        if (f->shared)
            return NOTHING; /* another follows alone now: it is tried again until it ends */
        (void)smv_fail(error, SAMVERKA_TAKEN, "%s", ended->detail);
        return FAILED;
    default:
        (void)smv_fail(error, SAMVERKA_INVALID, "%s", ended->detail);
        return FAILED;
    }
}

static enum outcome
take_message(struct samverka_follow *f, struct samverka_batch *ret,
             struct samverka_error *error)
{
    struct smv_frame frame;

    if (!smv_frame_read(zmq_msg_data(&f->parts[0]), zmq_msg_size(&f->parts[0]),
                        zmq_msg_data(&f->parts[1]), zmq_msg_size(&f->parts[1]), &f->pool,
                        &frame)) {
        smv_link_leave_failed(&f->link); /* it makes no sense: perhaps another does */
        return NOTHING;
    }
    switch (frame.server->frame_case) {
    case SERVER(BATCH):
        f->link.pause_ms = 0;
        return take_batch(f, &frame, ret);
    case SERVER(HEARTBEAT):
        f->link.pause_ms = 0;
        return take_heartbeat(f, frame.server->heartbeat, ret);
    case SERVER(ENDED):
        return take_end(f, frame.server->ended, error);
    default: /* of a later version, or of an append */
        return NOTHING;
    }
}

enum samverka_code
samverka_follow_next(struct samverka_follow *follow, int wait_ms, struct samverka_batch *batch,
                     struct samverka_error *error)
{
    const int64_t deadline_ms = smv_now_ms() + wait_ms;

    pay(follow);
    for (;;) {
        bool received;

        drop_message(follow);
        received = smv_link_receive(&follow->link, follow->parts);
        if (received) {
            const enum outcome outcome = take_message(follow, batch, error);

            if (outcome != NOTHING)
                return outcome == FAILED ? error->code : SAMVERKA_OK;
        } else {
            smv_link_check_silence(&follow->link);
        }
        if (smv_link_join(&follow->link))
            ask(follow);
        if (smv_now_ms() >= deadline_ms)
            break;
        if (!received) {
            const int64_t due_ms = smv_link_due_ms(&follow->link, true);

            smv_link_wait(&follow->link, due_ms < deadline_ms ? due_ms : deadline_ms);
        }
    }
    if (follow->link.alive)
        return smv_fail(error, SAMVERKA_TIMEOUT, "nothing came in %d ms", wait_ms);
    return smv_fail(error, SAMVERKA_UNREACHABLE, "no endpoint answers");
}
