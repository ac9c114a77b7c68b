/* samverka events verify [--after N]: the whole log as it is kept, proved.
 *
 * Every stored block is looked at by the service (checksums, joints).  Then the log is
 * followed, as anybody follows it: positions without a gap, each tenant's numbers without a
 * gap, and each tenant's hash chain from its link before the first kept event to its last one.
 */

#include "services/cli/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "events/v1/log.pb-c.h"

#define CREDIT 50000
#define PATIENCE_MS 10000 /* for what lies behind a position */
#define TENANTS_MOST 100000
#define LINK_BYTES 32
#define FAULTS_SHOWN 20

/* A tenant's chain as it is computed, and where the log says that it ends. */
struct stream {
    struct samverka_chain chain;
    bool begun; /* the chain's start is known, or its first event has come */
    uint64_t end_number;
    uint8_t end_link[LINK_BYTES];
};

struct verification {
    struct cli *cli;
    bool whole; /* from the first kept event, so that links can be compared */
    struct stream *streams;
    size_t count, room;
    size_t recent; /* events of a tenant come in runs */
    uint64_t after, through, last, internal, blocks, faults;
    uint64_t first_fault; /* position; 0: none */
};

static void
verification_fini(struct verification *v)
{
    free(v->streams);
}

printf_like(3, 4) static void report(struct verification *v, uint64_t position,
                                     const char *format, ...)
{
    va_list values;

    if (!v->first_fault || position < v->first_fault)
        v->first_fault = position;
    if (v->faults++ >= FAULTS_SHOWN)
        return;
    printf("position %" PRIu64 ": ", position);
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    putchar('\n');
}

static struct status
add_stream(struct verification *v, const char *tenant_id, struct stream **ret)
{
    struct samverka_error error;

    if (v->count == TENANTS_MOST)
        return FAIL(v->cli->arena, RESOURCE_EXHAUSTED, "more than %d tenants", TENANTS_MOST);
    if (v->count == v->room) {
        const size_t room = v->room ? 2 * v->room : 64;
        struct stream *streams = realloc(v->streams, room * sizeof *streams);

        TRY(need(streams));
        v->streams = streams;
        v->room = room;
    }
    v->streams[v->count] = (struct stream){.begun = v->whole};
    if (samverka_chain_begin(tenant_id, &v->streams[v->count].chain, &error) != SAMVERKA_OK)
        return FAIL(v->cli->arena, FAILED_PRECONDITION, "%s", error.text);
    *ret = &v->streams[v->count++];
    return OK;
}

static struct stream *
find_stream(struct verification *v, const char *tenant_id)
{
    for (size_t i = 0; i < v->count; i++) {
        const size_t at = (v->recent + i) % v->count;

        if (strcmp(v->streams[at].chain.tenant_id, tenant_id) == 0) {
            v->recent = at;
            return &v->streams[at];
        }
    }
    return NULL;
}

static void
compare_end(struct verification *v, struct stream *stream, uint64_t position)
{
    if (v->whole && stream->chain.number == stream->end_number &&
        memcmp(stream->chain.link, stream->end_link, LINK_BYTES) != 0)
        report(v, position,
               "link %" PRIu64 " of tenant %s is not that of the log: an event up to here "
               "was changed",
               stream->chain.number, stream->chain.tenant_id);
}

static struct status
take_chain(struct verification *v, const Events__V1__Chain *chain)
{
    struct stream *stream;

    TRY(add_stream(v, chain->tenant_id, &stream));
    if (!chain->last || chain->last->link.len != LINK_BYTES ||
        (chain->first && chain->first->link.len && chain->first->link.len != LINK_BYTES))
        return FAIL(v->cli->arena, FAILED_PRECONDITION, "a link has not %d bytes", LINK_BYTES);
    if (chain->first && chain->first->number) {
        stream->chain.number = chain->first->number;
        memcpy(stream->chain.link, chain->first->link.data, LINK_BYTES);
    }
    stream->end_number = chain->last->number;
    memcpy(stream->end_link, chain->last->link.data, LINK_BYTES);
    compare_end(v, stream, v->after); /* nothing of it may be kept */
    return OK;
}

/* Where every tenant's chain begins and ends; the log is then followed as far as these hold. */
static struct status
list_chains(struct verification *v)
{
    Events__V1__ListChainsRequest request = EVENTS__V1__LIST_CHAINS_REQUEST__INIT;
    const Events__V1__ListChainsReply *page;
    ProtobufCMessage *reply;

    do {
        TRY(cli_call(v->cli, "events.v1.Log/ListChains", &request.base,
                     &events__v1__list_chains_reply__descriptor, NULL, v->cli->arena, &reply));
        page = (const Events__V1__ListChainsReply *)reply;
        if (page->first_kept != v->after)
            return FAIL(v->cli->arena, ABORTED,
                        "the log was trimmed while it was verified: begin again");
        for (size_t i = 0; i < page->n_chains; i++)
            TRY(take_chain(v, page->chains[i]));
        if (page->head > v->through)
            v->through = page->head;
        if (page->n_chains)
            request.after_tenant_id = page->chains[page->n_chains - 1]->tenant_id;
    } while (page->n_chains);
    return OK;
}

static struct status
verify_blocks(struct verification *v)
{
    Events__V1__VerifyBlocksRequest request = EVENTS__V1__VERIFY_BLOCKS_REQUEST__INIT;

    request.after = v->after;
    while (request.after < v->through) {
        const Events__V1__VerifyBlocksReply *page;
        ProtobufCMessage *reply;

        TRY(cli_call(v->cli, "events.v1.Log/VerifyBlocks", &request.base,
                     &events__v1__verify_blocks_reply__descriptor, NULL, v->cli->arena,
                     &reply));
        page = (const Events__V1__VerifyBlocksReply *)reply;
        for (size_t i = 0; i < page->n_faults; i++)
            if (page->faults[i]->position > v->after) /* --after may cut a block in two */
                report(v, page->faults[i]->position, "%s", page->faults[i]->reason);
        v->blocks += page->blocks;
        if (page->through <= request.after) {
            report(v, request.after + 1, "no block follows");
            return OK;
        }
        request.after = page->through;
    }
    return OK;
}

static struct status
take_event(struct verification *v, const struct samverka_event *event)
{
    const char *tenant_id = samverka_event_attribute(event, "tenantid");
    const char *number = samverka_event_attribute(event, "tenantsequence");
    const uint64_t position = samverka_event_position(event);
    struct samverka_error error;
    struct stream *stream;

    if (position != v->last + 1)
        report(v, v->last + 1, "is missing; %" PRIu64 " comes next", position);
    v->last = position;
    if (!number) {
        v->internal++;
        return OK;
    }
    if (!tenant_id) {
        report(v, position, "is numbered and has no tenant");
        return OK;
    }
    stream = find_stream(v, tenant_id);
    if (!stream)
        TRY(add_stream(v, tenant_id, &stream));
    if (!stream->begun) { /* it began in the middle */
        stream->chain.number = strtoull(number, NULL, 10) - 1;
        stream->begun = true;
    }
    if (samverka_chain_add(&stream->chain, event, &error) != SAMVERKA_OK) {
        report(v, position, "%s", error.text);
        stream->chain.number = strtoull(number, NULL, 10);
    }
    compare_end(v, stream, position);
    return OK;
}

static void
close_follow(struct samverka_follow **follow)
{
    samverka_follow_close(*follow);
}

static struct status
follow_log(struct verification *v)
{
    static const struct events_words everything;
    scoped(close_follow) struct samverka_follow *follow = NULL;
    struct samverka_batch batch = {.through = v->after};
    struct events_rate rate;

    if (v->after >= v->through)
        return OK;
    events_rate_init(&rate, v->cli, "verified");
    TRY(events_open(v->cli, &everything, v->after, CREDIT, &follow));
    while (batch.through < v->through) {
        const struct status status = events_next(v->cli, follow, PATIENCE_MS, &batch);

        if (status.code == CODE_UNAVAILABLE && v->first_fault) {
            report(v, v->last + 1, "cannot be read: %s", status.detail);
            return OK;
        }
        TRY(status);
        for (size_t i = 0;
             i < batch.count && samverka_event_position(batch.events[i]) <= v->through; i++)
            TRY(take_event(v, batch.events[i]));
        events_rate_add(&rate, batch.count, batch.through, v->through);
    }
    if (v->last < v->through)
        report(v, v->last + 1, "is missing; nothing comes behind it");
    return OK;
}

/* A chain that the log says is longer than what was kept of it. */
static void
check_ends(struct verification *v)
{
    for (size_t i = 0; v->whole && i < v->count; i++) {
        const struct stream *stream = &v->streams[i];

        if (stream->chain.number < stream->end_number)
            report(v, v->through,
                   "tenant %s has %" PRIu64 " events; number %" PRIu64 " is the last that came",
                   stream->chain.tenant_id, stream->end_number, stream->chain.number);
    }
}

struct status
events_verify(struct cli *cli, const struct events_words *words)
{
    scoped(verification_fini) struct verification v = {.cli = cli};
    uint64_t first_kept;

    if (cli->tenant)
        return FAIL_FIELD(cli->arena, "--tenant", "the whole log is verified");
    TRY(events_head(cli, &v.through, &first_kept));
    TRY(events_number(cli, "--after", words->after, first_kept, &v.after));
    v.last = v.after;
    v.whole = v.after == first_kept;
    if (v.after > v.through)
        return FAIL_FIELD(cli->arena, "--after", "the log ends at %" PRIu64, v.through);
    if (v.whole)
        TRY(list_chains(&v));
    TRY(verify_blocks(&v));
    TRY(follow_log(&v));
    check_ends(&v);
    printf("positions %" PRIu64 " to %" PRIu64 ": %" PRIu64 " blocks, %" PRIu64
           " internal events, %zu tenants; chains %s\n",
           v.after + 1, v.through, v.blocks, v.internal, v.count,
           v.whole ? "compared" : "not compared, because it began in the middle");
    if (!v.faults)
        return OK;
    return FAIL(cli->arena, FAILED_PRECONDITION,
                "%" PRIu64 " faults, the first at position %" PRIu64, v.faults, v.first_fault);
}
