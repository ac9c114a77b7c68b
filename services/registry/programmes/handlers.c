#include "registry/v1/programmes.pb-c.h"

#include "common/service/call.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/registry.h"

static const struct programmes *
library_of(const struct call *call)
{
    const struct registry_state *state = call->state;

    return state->programmes;
}

static struct rule_date
today(const struct call *call)
{
    return programmes_day(clock_wall(call->clock));
}

/* Whether a newer version of the same programme is in force. */
static bool
is_in_force(const struct call *call, const struct rule_set *set)
{
    return programmes_find(library_of(call), set->programme, 0, today(call)) == set;
}

static struct status
find(struct call *call, const char *code, uint32_t version, const struct rule_set **ret)
{
    const struct rule_set *set = programmes_find(library_of(call), code, version, today(call));

    if (!set && version)
        return FAIL(call->arena, NOT_FOUND, "programme %s has no rule set of version %u", code,
                    version);
    if (!set)
        return FAIL(call->arena, NOT_FOUND, "programme %s", code);
    *ret = set;
    return OK;
}

static struct status
list_programmes(struct call *call, const Registry__V1__ListProgrammesRequest *request,
                Registry__V1__ListProgrammesReply *reply)
{
    const struct programmes *library = library_of(call);
    const size_t count = programmes_count(library);

    (void)request;
    TRY(need(reply->programmes =
                 ARENA_ARRAY(call->arena, Registry__V1__Programme *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        const struct rule_set *set = programmes_at(library, i);
        if (is_in_force(call, set))
            TRY(programmes_describe(set, call->lang, call->arena,
                                    &reply->programmes[reply->n_programmes++]));
    }
    return OK;
}

static struct status
get_programme(struct call *call, const Registry__V1__GetProgrammeRequest *request,
              Registry__V1__GetProgrammeReply *reply)
{
    const struct rule_set *set;

    TRY(find(call, request->code, 0, &set));
    return programmes_describe(set, call->lang, call->arena, &reply->programme);
}

static struct status
get_rule_set(struct call *call, const Registry__V1__GetRuleSetRequest *request,
             Registry__V1__GetRuleSetReply *reply)
{
    const struct rule_set *set;

    TRY(find(call, request->code, request->version, &set));
    return programmes_describe_rules(set, call->lang, call->arena, &reply->rule_set);
}

static struct status
get_composition_rules(struct call *call,
                      const Registry__V1__GetCompositionRulesRequest *request,
                      Registry__V1__GetCompositionRulesReply *reply)
{
    const struct rule_texts switches = {true, request->n_switches,
                                        (const char *const *)request->switches};
    const struct rule_set *set;

    TRY(find(call, request->code, request->version, &set));
    return programmes_composition(set, switches, call->lang, call->arena, reply);
}

static enum rule_mode
mode_of(Registry__V1__Verdict__Mode mode)
{
    return mode == REGISTRY__V1__VERDICT__MODE__SUBMISSION ? RULE_SUBMISSION : RULE_DRAFT;
}

static struct status
check_case(struct call *call, const Registry__V1__CheckCaseRequest *request,
           Registry__V1__CheckCaseReply *reply)
{
    const struct rule_set *set;
    struct rule_case facts;
    struct rule_verdict verdict;
    Registry__V1__Verdict *neutral;

    if (!request->facts)
        return FAIL_FIELD(call->arena, "facts", "must be given");
    TRY(find(call, request->code, request->version, &set));
    TRY(programmes_case(request->facts, call->arena, &facts));
    TRY(rule_evaluate(set, &facts, mode_of(request->mode), today(call), call->arena, &verdict));
    TRY(programmes_verdict(&verdict, clock_wall(call->clock), call->arena, &neutral));
    return programmes_render(library_of(call), neutral, call->lang, call->arena,
                             &reply->verdict);
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Programmes_Service, handler, Registry__V1__##Name##Request,       \
               Registry__V1__##Name##Reply)

METHOD(list_programmes, ListProgrammes)
METHOD(get_programme, GetProgramme)
METHOD(get_rule_set, GetRuleSet)
METHOD(get_composition_rules, GetCompositionRules)
METHOD(check_case, CheckCase)

static Registry__V1__Programmes_Service service = REGISTRY__V1__PROGRAMMES__INIT(rpc_);
const ProtobufCService *const programmes_service = &service.base;
