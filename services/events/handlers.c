#include "events/v1/log.pb-c.h"

#include <inttypes.h>

#include "common/base/metric.h"
#include "common/service/service.h"
#include "services/events/followers.h"
#include "services/events/retention.h"
#include "services/events/store_kept.h"

#define READ_BYTES ((size_t)512 << 10) /* of events in one reply */
#define READ_BLOCKS 8                  /* of one page of the store */
#define READ_LOOK_MAX 20000            /* events looked at for one reply */
#define AGE_EVERY_MS 5000

static struct metric outbox_age =
    METRIC("outbox_unsequenced_age_seconds", METRIC_GAUGE,
           "age of the oldest event that is not in the log yet", NULL, NULL);

static struct status
head(struct call *call, const Events__V1__HeadRequest *request, Events__V1__HeadReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)request;
    TRY(call_begin(call, NULL, true, &tx));
    return store_head(&tx, &reply->position, &reply->first_kept);
}

/* Our own services and operators see everything, a system what its key may see, everybody else
 * their tenant's events and public ones. */
static struct status
rights_of_caller(struct call *call, struct pg_tx *tx, struct rights *ret)
{
    const char **tenant_ids;

    *ret = (struct rights){0};
    if (call_has_role(call, WIRE__V1__ROLE__SERVICE) ||
        call_has_role(call, WIRE__V1__ROLE__OPERATOR)) {
        ret->all = true;
        return OK;
    }
    if (call->principal->kind == WIRE__V1__PRINCIPAL__KIND__SYSTEM) {
        struct store_system system;
        const struct status status =
            store_find_system(tx, call->principal->subject_id, &system);

        if (status.code == CODE_NOT_FOUND)
            return FAIL(call->arena, PERMISSION_DENIED, "the system has no rights to events");
        TRY(status);
        ret->types = system.rights.types;
    }
    TRY(need(tenant_ids = ARENA_ARRAY(call->arena, const char *, 1)));
    tenant_ids[0] = call->tenant_id;
    ret->tenant_ids = (struct texts){tenant_ids, 1};
    return OK;
}

/* A reply that is being filled. */
struct read {
    struct buffer batch;
    const struct sieve *sieve;
    uint32_t limit, count;
    uint64_t through;
};

static void
read_fini(struct read *read)
{
    buffer_fini(&read->batch);
}

/* False: the reply is full. */
static bool
read_block(struct read *read, const struct block *block)
{
    if (!block->data.size) {
        read->through = block->last;
        return true;
    }
    for (uint64_t position = read->through + 1; position <= block->last; position++) {
        const struct block_event *event = block_event_at(block, position);

        if (rules_passes(read->sieve, &event->parts)) {
            if (read->count == read->limit ||
                (read->count && read->batch.size + event->framed.size > READ_BYTES))
                return false;
            buffer_put(&read->batch, event->framed.data, event->framed.size);
            read->count++;
        }
        read->through = position;
    }
    return true;
}

static struct status
read_on(struct read *read, struct pg_tx *tx, uint64_t head_position)
{
    const uint64_t end = read->through + READ_LOOK_MAX;
    uint64_t first_kept;

    while (read->through < head_position && read->through < end) {
        scoped(store_page_release) struct block *page = NULL;

        TRY(store_page(tx, read->through, READ_BLOCKS, read->sieve, &page));
        if (!page || page->position > read->through + 1)
            return store_missing(tx, read->through, &first_kept);
        for (struct block *block = page; block; block = block->next) {
            /* A page of everything comes with its events not yet found. */
            if (!block_open(block))
                return FAIL(tx->arena, INTERNAL, "the block at %" PRIu64 " cannot be read",
                            block->position);
            if (!read_block(read, block))
                return OK;
        }
    }
    return OK;
}

static struct status
check_read(const struct call *call, const Events__V1__ReadRequest *request,
           uint64_t head_position, uint64_t first_kept)
{
    if (request->limit > RULES_READ_LIMIT)
        return FAIL_FIELD(call->arena, "limit", "must be at most %u", RULES_READ_LIMIT);
    TRY(rules_check_filter(request->filter, call->arena));
    if (request->after > head_position)
        return FAIL_FIELD(call->arena, "after", "the log ends at %" PRIu64, head_position);
    if (request->after < first_kept)
        return FAIL(call->arena, POSITION_GONE,
                    "events after %" PRIu64
                    " are no longer kept; the first kept are after %" PRIu64,
                    request->after, first_kept);
    return OK;
}

static struct status
read_log(struct call *call, const Events__V1__ReadRequest *request,
         Events__V1__ReadReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(rules_sieve_release) struct sieve *sieve = NULL;
    scoped(read_fini) struct read read = {0};
    uint64_t head_position, first_kept;
    struct rights rights;

    TRY(call_begin(call, NULL, true, &tx));
    TRY(store_head(&tx, &head_position, &first_kept));
    TRY(check_read(call, request, head_position, first_kept));
    TRY(rights_of_caller(call, &tx, &rights));
    TRY(rules_sieve_create(&rights, request->filter, &sieve));
    buffer_init(&read.batch, READ_BYTES + BLOCK_BYTES);
    read.sieve = sieve;
    read.limit = request->limit ? request->limit : RULES_READ_DEFAULT;
    read.through = request->after;
    TRY(read_on(&read, &tx, head_position));
    TRY(buffer_check(&read.batch, call->arena));
    reply->batch.len = read.batch.size;
    TRY(need(reply->batch.data =
                 (uint8_t *)arena_copy_n(call->arena, read.batch.data, read.batch.size)));
    reply->through = read.through;
    reply->head = head_position;
    return OK;
}

/* What a system may append; `request` gets its types. */
static struct status
limit_to_system(struct call *call, struct texts *types, struct append_request *request)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct store_system system;
    struct status status;

    if (call->principal->kind != WIRE__V1__PRINCIPAL__KIND__SYSTEM)
        return OK;
    TRY(call_begin(call, NULL, true, &tx));
    status = store_find_system(&tx, call->principal->subject_id, &system);
    if (status.code == CODE_NOT_FOUND || (!failed(status) && !system.rights.append_types.count))
        return FAIL(call->arena, PERMISSION_DENIED, "this system may append no events");
    TRY(status);
    TRY(rules_copy_texts(system.rights.append_types, call->arena, types));
    request->types = types;
    return OK;
}

static struct status
append(struct call *call, const Events__V1__AppendRequest *request,
       Events__V1__AppendReply *reply)
{
    const struct events_state *state = call->state;
    scoped(append_job_release) struct append_job *job = NULL;
    struct append_request wanted = {.tenant_id = call->tenant_id,
                                    .source = request->source,
                                    .batch_number = request->batch_number,
                                    .batch = {request->batch.data, request->batch.len}};
    struct texts types;

    TRY(limit_to_system(call, &types, &wanted));
    TRY(append_job_create(&wanted, call->arena, &job));
    TRY(sequencer_post(atomic_load(&state->sequencer), job, call->arena));
    TRY(append_job_await(job, call->clock, call->deadline, call->arena));
    reply->first_position = job->append.first;
    reply->last_position = job->append.last;
    reply->duplicates = job->append.duplicates;
    return OK;
}

static struct status
measure_outbox(struct call *call)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    double seconds;

    TRY(call_begin(call, NULL, true, &tx));
    TRY(store_outbox_age(&tx, &seconds));
    metric_set(&outbox_age, NULL, NULL, seconds);
    return OK;
}

const struct service_timer log_timers[] = {
    {"outbox_age", AGE_EVERY_MS, measure_outbox},
    {"log_kept", RETENTION_MEASURE_MS, retention_measure},
    {"appends_expire", RETENTION_EXPIRE_MS, retention_expire_appends},
    {0},
};

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Events__V1__Log_Service, handler, Events__V1__##Name##Request,                  \
               Events__V1__##Name##Reply)

METHOD(head, Head)
METHOD(read_log, Read)
METHOD(append, Append)
METHOD(followers_list, ListFollowers)
METHOD(followers_forget, ForgetConsumer)
METHOD(retention_list_chains, ListChains)
METHOD(retention_verify_blocks, VerifyBlocks)
METHOD(retention_trim, Trim)

/* protobuf-c names the slots after the methods. */
static Events__V1__Log_Service service = {
    .base = EVENTS__V1__LOG__BASE_INIT,
    .head = rpc_head,
    .read = rpc_read_log,
    .append = rpc_append,
    .list_followers = rpc_followers_list,
    .forget_consumer = rpc_followers_forget,
    .list_chains = rpc_retention_list_chains,
    .verify_blocks = rpc_retention_verify_blocks,
    .trim = rpc_retention_trim,
};
const ProtobufCService *const log_service = &service.base;
