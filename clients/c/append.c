#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/batch.h"
#include "clients/c/error.h"
#include "clients/c/frame.h"
#include "clients/c/link.h"

#define SERVER(name) EVENTS__V1__SERVER_FRAME__FRAME_##name
#define WINDOW_MOST 64
#define SOURCE_BYTES 256
#define HEAD_ROOM 512     /* of a packed Append */
#define ANSWER_MS 10000   /* an outcome that has not come by then was lost with a connection */
#define PAUSE_FIRST_MS 50 /* before a batch that met a limit is repeated */
#define PAUSE_MOST_MS 1000

/* A batch without an outcome. */
struct waiting {
    uint64_t number;
    struct smv_batch batch;
    bool sent; /* on this connection */
    int64_t sent_ms, not_before_ms;
    int pause_ms;
};

struct samverka_append {
    struct smv_link link;
    struct smv_pool pool; /* of the last message */
    zmq_msg_t parts[2];
    char source[SOURCE_BYTES + 1], tenant_id[SMV_UUID_CHARS + 1];
    uint64_t next_number;
    struct smv_batch making;
    struct waiting waiting[WINDOW_MOST]; /* by number */
    size_t count, window;
};

/* What has come of a message. */
enum outcome { NOTHING, SOMETHING, FAILED };

static enum samverka_code
check(const struct samverka_producer *producer, struct samverka_error *error)
{
    const char *source = producer->source;

    if (!source || !*source || strnlen(source, SOURCE_BYTES + 1) > SOURCE_BYTES ||
        !smv_utf8(source))
        return smv_fail(error, SAMVERKA_INVALID, "source: must have 1 to %d bytes of UTF-8",
                        SOURCE_BYTES);
    if (producer->tenant_id && !smv_uuid(producer->tenant_id))
        return smv_fail(error, SAMVERKA_INVALID, "tenant_id: is a UUID in small letters");
    if (!producer->next_batch || producer->next_batch > INT64_MAX)
        return smv_fail(error, SAMVERKA_INVALID, "next_batch: must be at least 1");
    if (!producer->window || producer->window > WINDOW_MOST)
        return smv_fail(error, SAMVERKA_INVALID, "window: must be 1 to %d", WINDOW_MOST);
    return SAMVERKA_OK;
}

enum samverka_code
samverka_append_open(const struct samverka_place *place,
                     const struct samverka_producer *producer, struct samverka_append **append,
                     struct samverka_error *error)
{
    enum samverka_code code = check(producer, error);
    struct samverka_append *a;

    if (code != SAMVERKA_OK)
        return code;
    if (!(a = calloc(1, sizeof *a)))
        return smv_no_memory(error);
    memcpy(a->source, producer->source, strlen(producer->source));
    if (producer->tenant_id)
        memcpy(a->tenant_id, producer->tenant_id, SMV_UUID_CHARS);
    a->next_number = producer->next_batch;
    a->window = producer->window;
    smv_pool_init(&a->pool, SMV_POOL_BYTES);
    (void)zmq_msg_init(&a->parts[0]);
    (void)zmq_msg_init(&a->parts[1]);
    if ((code = smv_link_open(&a->link, place, error)) != SAMVERKA_OK) {
        samverka_append_close(a);
        return code;
    }
    *append = a;
    return SAMVERKA_OK;
}

static void
drop_message(struct samverka_append *a)
{
    for (size_t i = 0; i < 2; i++) {
        (void)zmq_msg_close(&a->parts[i]);
        (void)zmq_msg_init(&a->parts[i]);
    }
    smv_pool_reset(&a->pool);
}

void
samverka_append_close(struct samverka_append *append)
{
    if (!append)
        return;
    drop_message(append);
    smv_link_close(&append->link, 0);
    smv_pool_fini(&append->pool);
    smv_batch_clear(&append->making);
    for (size_t i = 0; i < append->count; i++)
        smv_batch_clear(&append->waiting[i].batch);
    free(append);
}

enum samverka_code
samverka_append_event(struct samverka_append *append, const struct samverka_new_event *event,
                      struct samverka_error *error)
{
    return smv_batch_add(&append->making, append->source, event, error);
}

size_t
samverka_append_waiting(const struct samverka_append *append)
{
    return append->count;
}

static bool
send_batch(struct samverka_append *a, struct waiting *waiting)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Append head = EVENTS__V1__APPEND__INIT;
    uint8_t packed[HEAD_ROOM];

    head.source = a->source;
    head.tenant_id = a->tenant_id;
    head.batch_number = waiting->number;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_APPEND;
    frame.append = &head;
    return smv_link_send(&a->link, packed, protobuf_c_message_pack(&frame.base, packed),
                         waiting->batch.data, waiting->batch.size);
}

/* Sends what is due, in order: what waits for its time holds up those behind it. */
static void
send_due(struct samverka_append *a)
{
    const int64_t now_ms = smv_now_ms();

    for (size_t i = 0; i < a->count && a->link.socket; i++) {
        struct waiting *waiting = &a->waiting[i];

        if (waiting->sent)
            continue;
        if (now_ms < waiting->not_before_ms || !send_batch(a, waiting))
            return;
        /* What came before the first question says nothing of its answer. */
        a->link.heard_ms = now_ms;
        waiting->sent = true;
        waiting->sent_ms = now_ms;
    }
}

enum samverka_code
samverka_append_send(struct samverka_append *append, uint64_t *batch_number,
                     struct samverka_error *error)
{
    if (!append->making.count)
        return smv_fail(error, SAMVERKA_INVALID, "the batch has no event");
    if (append->count == append->window)
        return smv_fail(error, SAMVERKA_FULL, "%zu batches have no outcome yet", append->count);
    append->waiting[append->count++] =
        (struct waiting){.number = append->next_number, .batch = append->making};
    append->making = (struct smv_batch){0};
    *batch_number = append->next_number++;
    send_due(append);
    return SAMVERKA_OK;
}

/* The batches that were sent into a connection that is gone are sent again. */
static void
forget_sent(struct samverka_append *a)
{
    for (size_t i = 0; i < a->count; i++)
        a->waiting[i].sent = false;
}

static void
remove_waiting(struct samverka_append *a, size_t i)
{
    smv_batch_clear(&a->waiting[i].batch);
    a->count--;
    memmove(&a->waiting[i], &a->waiting[i + 1], (a->count - i) * sizeof a->waiting[0]);
}

/* It met a limit, or may be in the log: the same again, a little later. */
static enum outcome
postpone(struct waiting *waiting)
{
    waiting->pause_ms = waiting->pause_ms ? waiting->pause_ms * 2 : PAUSE_FIRST_MS;
    if (waiting->pause_ms > PAUSE_MOST_MS)
        waiting->pause_ms = PAUSE_MOST_MS;
    waiting->not_before_ms = smv_now_ms() + waiting->pause_ms;
    waiting->sent = false;
    return NOTHING;
}

static enum samverka_code
code_of(Wire__V1__Code code)
{
    switch (code) {
    case WIRE__V1__CODE__KEY_REUSED:
    case WIRE__V1__CODE__ALREADY_EXISTS:
        return SAMVERKA_CONFLICT;
    case WIRE__V1__CODE__PERMISSION_DENIED:
    case WIRE__V1__CODE__UNAUTHENTICATED:
        return SAMVERKA_DENIED;
    case WIRE__V1__CODE__INTERNAL:
        return SAMVERKA_SYSTEM;
    default:
        return SAMVERKA_INVALID;
    }
}

static enum outcome
take_outcome(struct samverka_append *a, const Events__V1__AppendOutcome *from,
             struct samverka_outcome *ret, struct samverka_error *error)
{
    size_t i = 0;

    while (i < a->count && a->waiting[i].number != from->batch_number)
        i++;
    if (i == a->count || strcmp(from->source, a->source) != 0)
        return NOTHING; /* of one that was sent twice */
    switch (from->code) {
    case WIRE__V1__CODE__UNAVAILABLE: /* another instance leads */
        smv_link_leave_failed(&a->link);
        return NOTHING;
    case WIRE__V1__CODE__RESOURCE_EXHAUSTED:
    case WIRE__V1__CODE__STORAGE_FULL:
    case WIRE__V1__CODE__DEADLINE_EXCEEDED:
    case WIRE__V1__CODE__ABORTED:
        return postpone(&a->waiting[i]);
    default:
        break;
    }
    remove_waiting(a, i);
    *ret = (struct samverka_outcome){.batch_number = from->batch_number,
                                     .first_position = from->first_position,
                                     .last_position = from->last_position,
                                     .duplicates = from->duplicates};
    if (from->code == WIRE__V1__CODE__OK) {
        a->link.pause_ms = 0;
        return SOMETHING;
    }
    (void)smv_fail(error, code_of(from->code), "batch %" PRIu64 ": %s", from->batch_number,
                   from->detail);
    return FAILED;
}

/* The connection takes no appends; a refusal of the key is the caller's business. */
static enum outcome
take_end(struct samverka_append *a, const Events__V1__Ended *ended,
         struct samverka_outcome *ret, struct samverka_error *error)
{
    smv_link_leave_failed(&a->link);
    if (ended->code != WIRE__V1__CODE__PERMISSION_DENIED &&
        ended->code != WIRE__V1__CODE__INVALID_ARGUMENT)
        return NOTHING;
    *ret = (struct samverka_outcome){0};
    (void)smv_fail(error, code_of(ended->code), "%s", ended->detail);
    return FAILED;
}

static enum outcome
take_message(struct samverka_append *a, struct samverka_outcome *ret,
             struct samverka_error *error)
{
    struct smv_frame frame;

    if (!smv_frame_read(zmq_msg_data(&a->parts[0]), zmq_msg_size(&a->parts[0]),
                        zmq_msg_data(&a->parts[1]), zmq_msg_size(&a->parts[1]), &a->pool,
                        &frame)) {
        smv_link_leave_failed(&a->link);
        return NOTHING;
    }
    switch (frame.server->frame_case) {
    case SERVER(APPEND_OUTCOME):
        return take_outcome(a, frame.server->append_outcome, ret, error);
    case SERVER(ENDED):
        return take_end(a, frame.server->ended, ret, error);
    default:
        return NOTHING;
    }
}

static bool
expects_answer(const struct samverka_append *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->waiting[i].sent)
            return true;
    return false;
}

/* Looks after the connection; gives the time when that is due again. */
static int64_t
tend(struct samverka_append *a)
{
    int64_t due_ms;

    if (expects_answer(a))
        smv_link_check_silence(&a->link);
    for (size_t i = 0; i < a->count && a->link.socket; i++)
        if (a->waiting[i].sent && smv_now_ms() - a->waiting[i].sent_ms >= ANSWER_MS)
            smv_link_leave_failed(&a->link);
    if (!a->link.socket)
        forget_sent(a);
    (void)smv_link_join(&a->link);
    send_due(a);
    due_ms = smv_link_due_ms(&a->link, expects_answer(a));
    for (size_t i = 0; i < a->count; i++) {
        if (!a->waiting[i].sent && a->waiting[i].not_before_ms > smv_now_ms() &&
            a->waiting[i].not_before_ms < due_ms)
            due_ms = a->waiting[i].not_before_ms;
    }
    return due_ms;
}

enum samverka_code
samverka_append_next(struct samverka_append *append, int wait_ms,
                     struct samverka_outcome *outcome, struct samverka_error *error)
{
    const int64_t deadline_ms = smv_now_ms() + wait_ms;

    if (!append->count)
        return smv_fail(error, SAMVERKA_INVALID, "no batch waits for an outcome");
    for (;;) {
        bool received;
        int64_t due_ms;

        drop_message(append);
        received = smv_link_receive(&append->link, append->parts);
        if (received) {
            const enum outcome come = take_message(append, outcome, error);

            if (come != NOTHING)
                return come == FAILED ? error->code : SAMVERKA_OK;
        }
        due_ms = received ? 0 : tend(append);
        if (smv_now_ms() >= deadline_ms)
            break;
        if (!received)
            smv_link_wait(&append->link, due_ms < deadline_ms ? due_ms : deadline_ms);
    }
    if (append->link.alive)
        return smv_fail(error, SAMVERKA_TIMEOUT, "no outcome came in %d ms", wait_ms);
    return smv_fail(error, SAMVERKA_UNREACHABLE, "no endpoint answers");
}
