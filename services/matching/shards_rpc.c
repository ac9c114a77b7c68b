/* What a caller of an index in shards asks: see shards.proto. */

#include "matching/v1/shards.pb-c.h"

#include "common/service/call.h"
#include "services/matching/finding.h"
#include "services/matching/matching.h"

/* Asked for another shard, an instance would give another's part of the answer twice. */
static struct status
check_shard(struct call *call, uint32_t number, uint32_t count)
{
    const struct state *state = call->state;

    if (state->shard.number == number && state->shard.count == count)
        return OK;
    return FAIL(call->arena, FAILED_PRECONDITION,
                "this instance has shard %u/%u, not %u/%u: see matching_endpoints",
                state->shard.number, state->shard.count, number, count);
}

static struct status
find_in_shard(struct call *call, const Matching__V1__FindInShardRequest *request,
              Matching__V1__FindInShardReply *reply)
{
    scoped(finding_end) struct finding finding = {0};
    Matching__V1__FindMatchesReply *answer =
        ARENA_NEW(call->arena, Matching__V1__FindMatchesReply);

    TRY(need(answer));
    matching__v1__find_matches_reply__init(answer);
    if (!request->ask)
        return FAIL_FIELD(call->arena, "ask", "is required");
    TRY(check_shard(call, request->shard, request->shards));
    TRY(finding_begin(call, &ASK_FIELDS(request->ask), request->ask->language,
                      request->as_of_unix_ms, &finding));
    TRY(finding_search(call, &finding));
    TRY(finding_answer(call, &finding, answer));
    reply->answer = answer;
    return OK;
}

static struct status
remember_found(struct call *call, const Matching__V1__RememberFoundRequest *request,
               Matching__V1__RememberFoundReply *reply)
{
    scoped(finding_end) struct finding finding = {0};
    Matching__V1__SuggestMatchesReply *answer =
        ARENA_NEW(call->arena, Matching__V1__SuggestMatchesReply);

    TRY(need(answer));
    matching__v1__suggest_matches_reply__init(answer);
    if (!request->ask)
        return FAIL_FIELD(call->arena, "ask", "is required");
    TRY(finding_begin(call, &ASK_FIELDS(request->ask), request->ask->language, 0, &finding));
    TRY(finding_among(call, &finding, request->found, request->n_found));
    TRY(finding_remember(call, &finding, answer));
    reply->answer = answer;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Matching__V1__Shards_Service, handler, Matching__V1__##Name##Request,           \
               Matching__V1__##Name##Reply)

METHOD(find_in_shard, FindInShard)
METHOD(remember_found, RememberFound)

static Matching__V1__Shards_Service service = MATCHING__V1__SHARDS__INIT(rpc_);
const ProtobufCService *const shards_service = &service.base;
