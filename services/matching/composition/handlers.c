#include "matching/v1/composition.pb-c.h"

#include "common/base/uuid.h"
#include "common/service/call.h"
#include "services/matching/composition/composition.h"
#include "services/matching/composition/rules.h"
#include "services/matching/composition/solve.h"
#include "services/matching/composition/store.h"

static struct status
check_id(struct call *call, const char *id)
{
    return uuid_valid(id)
               ? OK
               : FAIL_FIELD(call->arena, "composition_id", "must be a UUID in lower case");
}

static struct status
read_composition(struct call *call, const char *id, Matching__V1__Composition **ret)
{
    TRY(composition_store_get(call->tx, call->arena, id, ret));
    return (*ret)->run ? solve_tell(call->arena, call->lang, (*ret)->run) : OK;
}

static struct status
start_composition(struct call *call, const Matching__V1__StartCompositionRequest *request,
                  Matching__V1__StartCompositionReply *reply)
{
    char id[UUID_SIZE];

    if (!request->question)
        return FAIL_FIELD(call->arena, "question", "must be given");
    TRY(rules_question(call->arena, request->question));
    uuid_v7(call->clock, id);
    TRY(composition_store_insert(call->tx, call->arena, id, request->question));
    return read_composition(call, id, &reply->composition);
}

static struct status
repeat_composition(struct call *call, const Matching__V1__RepeatCompositionRequest *request,
                   Matching__V1__RepeatCompositionReply *reply)
{
    Matching__V1__Composition *composition;

    TRY(check_id(call, request->composition_id));
    TRY(composition_store_get(call->tx, call->arena, request->composition_id, &composition));
    if (!request->expected_version)
        return FAIL(call->arena, PRECONDITION_REQUIRED,
                    "say which version of the composition is repeated");
    if (composition->run && composition->run->number >= COMPOSITION_RUNS_MAX)
        return FAIL(call->arena, FAILED_PRECONDITION,
                    "a composition is solved at most %u times", COMPOSITION_RUNS_MAX);
    TRY(composition_store_repeat(call->tx, call->arena, request->composition_id,
                                 request->expected_version));
    return read_composition(call, request->composition_id, &reply->composition);
}

static struct status
get_composition(struct call *call, const Matching__V1__GetCompositionRequest *request,
                Matching__V1__GetCompositionReply *reply)
{
    TRY(check_id(call, request->composition_id));
    return read_composition(call, request->composition_id, &reply->composition);
}

static struct status
list_composition_runs(struct call *call,
                      const Matching__V1__ListCompositionRunsRequest *request,
                      Matching__V1__ListCompositionRunsReply *reply)
{
    TRY(check_id(call, request->composition_id));
    TRY(composition_store_runs(call->tx, call->arena, request->composition_id, &reply->runs,
                               &reply->n_runs));
    for (size_t i = 0; i < reply->n_runs; i++)
        TRY(solve_tell(call->arena, call->lang, reply->runs[i]));
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Matching__V1__Compositions_Service, handler, Matching__V1__##Name##Request,     \
               Matching__V1__##Name##Reply)

METHOD(start_composition, StartComposition)
METHOD(repeat_composition, RepeatComposition)
METHOD(get_composition, GetComposition)
METHOD(list_composition_runs, ListCompositionRuns)

static Matching__V1__Compositions_Service service = MATCHING__V1__COMPOSITIONS__INIT(rpc_);
const ProtobufCService *const compositions_service = &service.base;
