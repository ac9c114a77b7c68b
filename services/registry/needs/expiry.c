/* Row-level security holds for jobs too, so each tenant's needs end in transactions of its own.
 * Several instances may run this side by side: they skip each other's rows. */

#include "registry/v1/needs.pb-c.h"
#include "services/registry/needs/needs.h"
#include "services/registry/needs/store.h"
#include "services/registry/tenants/store.h"
#include "services/registry/values/profiles.h"
#include "services/registry/values/values.h"

#define TENANTS_PAGE 100
#define BATCH 50
#define BATCHES_MOST 40 /* of one run, which has 30 s; the next run does the rest */

static struct status
tell(struct call *call, const struct need_expired *expired, size_t count)
{
    const char **ids;

    TRY(need(ids = ARENA_ARRAY(call->arena, const char *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        Registry__V1__NeedExpired event = REGISTRY__V1__NEED_EXPIRED__INIT;
        struct outbox_event about = {
            .data = &event.base, .subject = expired[i].id, .nuts = expired[i].nuts};

        event.need_id = ids[i] = expired[i].id;
        TRY(values_audience(call->arena, (Registry__V1__Visibility)expired[i].visibility,
                            expired[i].shared_with, expired[i].shared_with_count,
                            &about.audience));
        TRY(call_emit(call, about));
    }
    return profiles_tell(call, PROFILE_WITHDRAWN, "need", ids, count);
}

static struct status
expire_batch(struct call *call, const char *tenant_id, const char *today, size_t *ret_count)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct need_expired *expired;

    TRY(call_begin(call, tenant_id, false, &tx));
    TRY(store_need_expire(&tx, call->arena, today, BATCH, &expired, ret_count));
    TRY(tell(call, expired, *ret_count));
    return call_commit(call);
}

static struct status
list_tenants(struct call *call, const char *after_slug, Registry__V1__Tenant ***ret,
             size_t *ret_count)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(call_begin(call, NULL, true, &tx));
    TRY(store_tenant_list(&tx, call->arena, after_slug, TENANTS_PAGE, ret, ret_count));
    return call_commit(call);
}

struct status
needs_expire(struct call *call)
{
    size_t batches = 0, tenant_count;
    Registry__V1__Tenant **tenants;
    const char *today, *slug = "";

    TRY(values_today(call->arena, clock_wall(call->clock), &today));
    do {
        TRY(list_tenants(call, slug, &tenants, &tenant_count));
        for (size_t i = 0; i < tenant_count; i++) {
            size_t count = BATCH;

            slug = tenants[i]->slug;
            while (count == BATCH && batches < BATCHES_MOST) {
                TRY(expire_batch(call, tenants[i]->tenant_id, today, &count));
                batches += count > 0;
            }
        }
    } while (tenant_count == TENANTS_PAGE);
    return OK;
}
