#include "registry/v1/systems.pb-c.h"

#include "common/base/uuid.h"
#include "common/pg/cursor.h"
#include "common/service/call.h"
#include "services/registry/sessions/credential.h"
#include "services/registry/systems/rules.h"
#include "services/registry/systems/store.h"
#include "services/registry/systems/systems.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

#define LISTING "systems"

/* The answer is stored under the idempotency key like every other, so a repeat shows the same
 * token; the stored answer goes after 48 hours. */
static struct status
enrol_system(struct call *call, const Registry__V1__EnrolSystemRequest *request,
             Registry__V1__EnrolSystemReply *reply)
{
    Registry__V1__System *system;
    struct credential credential;
    const char *token;
    char id[UUID_SIZE];

    TRY(need(system = ARENA_NEW(call->arena, Registry__V1__System)));
    registry__v1__system__init(system);
    resource_from_request(&request->base, &system->base);
    TRY(rules_system(call->arena, clock_wall(call->clock), system));
    uuid_v7(call->clock, id);
    TRY(need(system->system_id = arena_copy(call->arena, id)));
    system->version = 1;
    TRY(credential_create(call->arena, CREDENTIAL_SYSTEM, call->tenant_id, &token,
                          &credential));
    if (!system->public_only) /* else nobody ever learns it: a token acts in the tenant */
        reply->bearer_token = token;
    TRY(store_system_insert(call->tx, system, credential.hash, sizeof credential.hash));
    reply->system = system;
    return OK;
}

static struct status
list_systems(struct call *call, const Registry__V1__ListSystemsRequest *request,
             Registry__V1__ListSystemsReply *reply)
{
    const char *ignored, *before;
    uint32_t limit;

    TRY(values_page_size(call->arena, request->page_size, &limit));
    TRY(cursor_read(call->arena, call->tenant_id, LISTING, request->page_token, &ignored,
                    &before));
    TRY(store_system_list(call->tx, call->arena, before, limit + 1, &reply->systems,
                          &reply->n_systems));
    if (reply->n_systems <= limit)
        return OK;
    reply->n_systems = limit;
    return cursor_make(call->arena, call->tenant_id, LISTING, "",
                       reply->systems[limit - 1]->system_id, &reply->next_page_token);
}

static struct status
update_system(struct call *call, const Registry__V1__UpdateSystemRequest *request,
              Registry__V1__UpdateSystemReply *reply)
{
    Registry__V1__System *system;

    TRY(values_id(call->arena, "system_id", request->system_id, true));
    TRY(store_system_get(call->tx, call->arena, request->system_id, &system));
    TRY(rules_system_may_change(call->arena, system));
    TRY(resource_apply(call->arena, &request->base, request->update_fields,
                       request->n_update_fields, &system->base));
    TRY(rules_system(call->arena, clock_wall(call->clock), system));
    TRY(store_system_update(call->tx, call->arena, system, request->expected_version));
    reply->system = system;
    return OK;
}

static struct status
revoke_system(struct call *call, const Registry__V1__RevokeSystemRequest *request,
              Registry__V1__RevokeSystemReply *reply)
{
    TRY(values_id(call->arena, "system_id", request->system_id, true));
    TRY(store_system_get(call->tx, call->arena, request->system_id, &reply->system));
    TRY(store_system_revoke(call->tx, call->arena, request->system_id,
                            request->expected_version));
    reply->system->revoked = true;
    reply->system->version = request->expected_version + 1;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Systems_Service, handler, Registry__V1__##Name##Request,          \
               Registry__V1__##Name##Reply)

METHOD(enrol_system, EnrolSystem)
METHOD(list_systems, ListSystems)
METHOD(update_system, UpdateSystem)
METHOD(revoke_system, RevokeSystem)

static Registry__V1__Systems_Service service = REGISTRY__V1__SYSTEMS__INIT(rpc_);
const ProtobufCService *const systems_service = &service.base;
