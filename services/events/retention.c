#include "services/events/retention.h"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/base/uuid.h"
#include "services/events/verify.h"

#define CHAINS_PAGE 1000
#define VERIFY_PAGE_BLOCKS 16 /* read at once */
#define VERIFY_BLOCKS 512     /* looked at for one answer; at most 32 MiB */
#define VERIFY_MS 1000        /* of one answer; the page under way is finished */
#define VERIFY_PAGE_BYTES ((size_t)16 << 20)
#define EXPIRE_BATCH 5000

static struct metric partitions_gauge =
    METRIC("log_partitions", METRIC_GAUGE, "partitions of the log that are kept", NULL, NULL);
static struct metric first_kept_gauge =
    METRIC("log_first_kept", METRIC_GAUGE, "smallest position after which the log can be read",
           NULL, NULL);

/* Our own services and operators see all chains; a system those of the tenants it was admitted
 * to, everybody else their tenant's. */
static struct status
tenants_of_caller(struct call *call, struct pg_tx *tx, struct texts *ret, bool *ret_all)
{
    const char **own;

    *ret_all = call_has_role(call, WIRE__V1__ROLE__SERVICE) ||
               call_has_role(call, WIRE__V1__ROLE__OPERATOR);
    if (*ret_all)
        return OK;
    if (call->principal->kind == WIRE__V1__PRINCIPAL__KIND__SYSTEM) {
        struct store_system system;
        const struct status status =
            store_find_system(tx, call->principal->subject_id, &system);

        if (status.code == CODE_NOT_FOUND)
            return FAIL(call->arena, PERMISSION_DENIED, "the system has no rights to events");
        TRY(status);
        *ret = system.rights.tenant_ids;
        return OK;
    }
    TRY(need(own = ARENA_ARRAY(call->arena, const char *, 1)));
    own[0] = call->tenant_id;
    *ret = (struct texts){own, 1};
    return OK;
}

static struct status
make_link(struct arena *arena, const struct store_link *from, Events__V1__ChainLink **ret)
{
    Events__V1__ChainLink *link = ARENA_NEW(arena, Events__V1__ChainLink);

    TRY(need(link));
    events__v1__chain_link__init(link);
    link->number = from->number;
    link->link.len = sizeof from->link;
    TRY(need(link->link.data = (uint8_t *)arena_copy_n(arena, from->link, sizeof from->link)));
    *ret = link;
    return OK;
}

static struct status
make_chain(struct arena *arena, const struct store_chain *from, Events__V1__Chain **ret)
{
    Events__V1__Chain *chain = ARENA_NEW(arena, Events__V1__Chain);

    TRY(need(chain));
    events__v1__chain__init(chain);
    TRY(need(chain->tenant_id = arena_copy(arena, from->tenant_id)));
    TRY(make_link(arena, &from->first, &chain->first));
    TRY(make_link(arena, &from->last, &chain->last));
    *ret = chain;
    return OK;
}

struct status
retention_list_chains(struct call *call, const Events__V1__ListChainsRequest *request,
                      Events__V1__ListChainsReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct store_chains chains;
    struct texts tenant_ids = {0};
    bool all;

    if (request->after_tenant_id[0] && !uuid_valid(request->after_tenant_id))
        return FAIL_FIELD(call->arena, "after_tenant_id", "must be a tenant's id or empty");
    TRY(call_begin(call, NULL, true, &tx));
    TRY(tenants_of_caller(call, &tx, &tenant_ids, &all));
    TRY(store_chains(&tx, all ? NULL : &tenant_ids, request->after_tenant_id, CHAINS_PAGE,
                     &chains));
    TRY(need(reply->chains = ARENA_ARRAY(call->arena, Events__V1__Chain *, chains.count + 1)));
    for (size_t i = 0; i < chains.count; i++)
        TRY(make_chain(call->arena, &chains.items[i], &reply->chains[i]));
    reply->n_chains = chains.count;
    reply->head = chains.head;
    reply->first_kept = chains.first_kept;
    return OK;
}

/* A verification under way.  Every look is a transaction of its own, because one that meets a
 * damaged page is over. */
struct look {
    struct call *call;
    struct verify verify;
    uint64_t head;
    struct arena arena; /* of one look */
};

static void
look_fini(struct look *look)
{
    arena_fini(&look->arena);
}

static struct status
look_begin(struct look *look, struct pg_tx *tx)
{
    const struct pg_scope scope = {.deadline = look->call->deadline, .read_only = true};

    arena_reset(&look->arena);
    return pg_tx_begin(look->call->pg, &scope, &look->arena, tx);
}

/* Nothing begins where it should: what was trimmed meanwhile is no fault. */
static struct status
look_at_gap(struct look *look, struct pg_tx *tx, const struct store_raw *row)
{
    struct verify *verify = &look->verify;
    uint64_t head, first_kept, next = 0;

    TRY(store_head(tx, &head, &first_kept));
    if (first_kept >= verify->next) {
        verify->next = first_kept + 1;
        return OK;
    }
    if (row)
        next = row->position;
    else
        TRY(store_raw_next(tx, verify->next, &next));
    return verify_gap(verify, next && next <= look->head ? next - 1 : look->head);
}

/* One page.  INTERNAL: a row of it cannot be read. */
static struct status
look_at_page(struct look *look, size_t limit)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct verify *verify = &look->verify;
    struct store_raw *rows;
    size_t count;

    TRY(look_begin(look, &tx));
    TRY(store_raw_page(&tx, verify->next - 1, limit, &rows, &count));
    if (!count || rows[0].position > verify->next)
        return look_at_gap(look, &tx, count ? &rows[0] : NULL);
    for (size_t i = 0; i < count && rows[i].position <= look->head && !verify_is_full(verify);
         i++)
        TRY(verify_row(verify, &rows[i], &look->arena));
    return OK;
}

static struct status
can_be_read(struct look *look, uint64_t position, bool *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct store_raw *rows;
    struct status status;
    size_t count;

    TRY(look_begin(look, &tx));
    status = store_raw_page(&tx, position - 1, 1, &rows, &count);
    *ret = !failed(status);
    return status.code == CODE_INTERNAL ? OK : status;
}

/* The row at `next` cannot be read: in growing steps, then by halves, to the next that can. */
static struct status
step_over(struct look *look)
{
    struct verify *verify = &look->verify;
    const uint64_t damaged = verify->next;
    uint64_t bad = damaged, good = damaged;
    bool readable = false;

    for (uint64_t step = 1; !readable && good <= look->head; step *= 2) {
        bad = good;
        good = good + step;
        if (good <= look->head)
            TRY(can_be_read(look, good, &readable));
    }
    if (good > look->head)
        good = look->head + 1;
    while (good - bad > 1) {
        const uint64_t middle = bad + (good - bad) / 2;

        TRY(can_be_read(look, middle, &readable));
        if (readable)
            good = middle;
        else
            bad = middle;
    }
    verify->next = good;
    return verify_note(verify, damaged,
                       "the block cannot be read; the next that can holds position %" PRIu64,
                       good);
}

static struct status
look_on(struct look *look)
{
    struct status status = look_at_page(look, VERIFY_PAGE_BLOCKS);

    if (status.code == CODE_INTERNAL)
        status = look_at_page(look, 1);
    if (status.code == CODE_INTERNAL)
        status = step_over(look);
    return status;
}

static struct status
look_at_head(struct look *look, uint64_t after)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint64_t first_kept;

    TRY(look_begin(look, &tx));
    TRY(store_head(&tx, &look->head, &first_kept));
    if (after > look->head)
        return FAIL_FIELD(look->call->arena, "after", "the log ends at %" PRIu64, look->head);
    look->verify.next = (after > first_kept ? after : first_kept) + 1;
    return OK;
}

static struct status
answer_look(const struct look *look, Events__V1__VerifyBlocksReply *reply)
{
    const struct verify *verify = &look->verify;
    struct arena *arena = look->call->arena;

    TRY(need(reply->faults =
                 ARENA_ARRAY(arena, Events__V1__BlockFault *, verify->fault_count + 1)));
    for (size_t i = 0; i < verify->fault_count; i++) {
        Events__V1__BlockFault *fault = ARENA_NEW(arena, Events__V1__BlockFault);

        TRY(need(fault));
        events__v1__block_fault__init(fault);
        fault->position = verify->faults[i].position;
        TRY(need(fault->reason = arena_copy(arena, verify->faults[i].reason)));
        reply->faults[i] = fault;
    }
    reply->n_faults = verify->fault_count;
    reply->through = verify->next - 1;
    reply->head = look->head;
    reply->blocks = verify->blocks;
    return OK;
}

static struct status
look_at_blocks(struct look *look, uint64_t after)
{
    const struct clock *clock = look->call->clock;
    const struct mono end = mono_add_ms(clock_mono(clock), VERIFY_MS);

    TRY(look_at_head(look, after));
    while (look->verify.next <= look->head && look->verify.blocks < VERIFY_BLOCKS &&
           !verify_is_full(&look->verify) && mono_left_ms(end, clock_mono(clock)) > 0)
        TRY(look_on(look));
    return OK;
}

struct status
retention_verify_blocks(struct call *call, const Events__V1__VerifyBlocksRequest *request,
                        Events__V1__VerifyBlocksReply *reply)
{
    scoped(look_fini) struct look look = {.call = call, .verify.arena = call->arena};
    struct status status;

    arena_init(&look.arena, VERIFY_PAGE_BYTES);
    status = look_at_blocks(&look, request->after);
    if (failed(status) && !status.field) /* its text goes with the look */
        return status_make(call->arena, status.code, "%s", status.detail ? status.detail : "");
    TRY(status);
    if (look.verify.fault_count)
        log_error("the log has faults", KV("after", request->after),
                  KV("first", look.verify.faults[0].position),
                  KV("reason", look.verify.faults[0].reason),
                  KV("faults", look.verify.fault_count));
    return answer_look(&look, reply);
}

struct status
retention_trim(struct call *call, const Events__V1__TrimRequest *request,
               Events__V1__TrimReply *reply)
{
    const struct events_state *state = call->state;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint64_t head, before, first_kept;

    TRY(call_begin(call, NULL, false, &tx));
    TRY(store_head(&tx, &head, &before));
    if (request->through > head)
        return FAIL_FIELD(call->arena, "through", "the log ends at %" PRIu64, head);
    TRY(store_trim(&tx, request->through, state->keep_days, &first_kept));
    TRY(call_commit(call));
    if (first_kept != before)
        log_info("the log was trimmed", KV("first_kept", first_kept));
    reply->first_kept = first_kept;
    return OK;
}

struct status
retention_measure(struct call *call)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    uint64_t partitions, first_kept;

    TRY(call_begin(call, NULL, true, &tx));
    TRY(store_kept(&tx, &partitions, &first_kept));
    metric_set(&partitions_gauge, NULL, NULL, (double)partitions);
    metric_set(&first_kept_gauge, NULL, NULL, (double)first_kept);
    return OK;
}

/* A full batch means that there are more. */
struct status
retention_expire_appends(struct call *call)
{
    uint64_t expired = 0;

    do {
        scoped(pg_tx_end) struct pg_tx tx = {0};

        TRY(call_begin(call, NULL, false, &tx));
        TRY(store_expire_appends(&tx, EXPIRE_BATCH, &expired));
        TRY(call_commit(call));
    } while (expired == EXPIRE_BATCH);
    return OK;
}
