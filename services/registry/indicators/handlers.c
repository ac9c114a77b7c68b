#include "registry/v1/indicators.pb-c.h"

#include "common/service/call.h"
#include "services/registry/indicators/indicators.h"
#include "services/registry/indicators/rules.h"
#include "services/registry/indicators/store.h"

struct scope {
    const char *period_start, *period_end, *nuts_prefix;
};

static struct status
make(struct call *call, enum indicator_code code, struct scope scope,
     const struct indicator_counts *counts, Registry__V1__Indicator **ret)
{
    Registry__V1__Indicator *indicator;

    TRY(need(indicator = ARENA_NEW(call->arena, Registry__V1__Indicator)));
    registry__v1__indicator__init(indicator);
    rules_indicator(code, counts, call->lang, indicator);
    indicator->period_start = scope.period_start;
    indicator->period_end = scope.period_end;
    indicator->nuts_prefix = scope.nuts_prefix;
    *ret = indicator;
    return OK;
}

static struct status
count(struct call *call, struct scope scope, struct indicator_counts *ret)
{
    TRY(rules_indicator_scope(call->arena, scope.period_start, scope.period_end,
                              scope.nuts_prefix));
    return store_indicator_counts(call->tx, call->arena, scope.period_start, scope.period_end,
                                  scope.nuts_prefix, ret);
}

static struct status
get_indicator(struct call *call, const Registry__V1__GetIndicatorRequest *request,
              Registry__V1__GetIndicatorReply *reply)
{
    const struct scope scope = {request->period_start, request->period_end,
                                request->nuts_prefix};
    struct indicator_counts counts;
    enum indicator_code code;

    TRY(rules_indicator_find(call->arena, request->code, &code));
    TRY(count(call, scope, &counts));
    return make(call, code, scope, &counts, &reply->indicator);
}

static struct status
list_indicators(struct call *call, const Registry__V1__ListIndicatorsRequest *request,
                Registry__V1__ListIndicatorsReply *reply)
{
    const struct scope scope = {request->period_start, request->period_end,
                                request->nuts_prefix};
    struct indicator_counts counts;

    TRY(count(call, scope, &counts));
    TRY(need(reply->indicators =
                 ARENA_ARRAY(call->arena, Registry__V1__Indicator *, INDICATOR_COUNT)));
    for (size_t i = 0; i < INDICATOR_COUNT; i++)
        TRY(make(call, (enum indicator_code)i, scope, &counts, &reply->indicators[i]));
    reply->n_indicators = INDICATOR_COUNT;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Indicators_Service, handler, Registry__V1__##Name##Request,       \
               Registry__V1__##Name##Reply)

METHOD(get_indicator, GetIndicator)
METHOD(list_indicators, ListIndicators)

static Registry__V1__Indicators_Service service = REGISTRY__V1__INDICATORS__INIT(rpc_);
const ProtobufCService *const indicators_service = &service.base;
