#include "registry/v1/tenants.pb-c.h"

#include "common/base/uuid.h"
#include "common/pg/cursor.h"
#include "common/service/call.h"
#include "services/registry/tenants/rules.h"
#include "services/registry/tenants/store.h"
#include "services/registry/tenants/tenants.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

/* Tenants are the same for everybody, so their cursors are bound to none. */
#define NO_TENANT "-"
#define LISTING "tenants"

static struct status
create_tenant(struct call *call, const Registry__V1__CreateTenantRequest *request,
              Registry__V1__CreateTenantReply *reply)
{
    Registry__V1__Tenant *tenant;
    char id[UUID_SIZE];

    TRY(need(tenant = ARENA_NEW(call->arena, Registry__V1__Tenant)));
    registry__v1__tenant__init(tenant);
    resource_from_request(&request->base, &tenant->base);
    TRY(rules_tenant(call->arena, tenant));
    uuid_v7(call->clock, id);
    TRY(need(tenant->tenant_id = arena_copy(call->arena, id)));
    tenant->version = 1;
    tenant->kind = REGISTRY__V1__TENANT_KIND__LOCAL;
    TRY(store_tenant_insert(call->tx, tenant));
    reply->tenant = tenant;
    return OK;
}

static struct status
get_tenant(struct call *call, const Registry__V1__GetTenantRequest *request,
           Registry__V1__GetTenantReply *reply)
{
    return store_tenant_get(call->tx, call->arena, request->tenant_id, &reply->tenant);
}

static struct status
list_tenants(struct call *call, const Registry__V1__ListTenantsRequest *request,
             Registry__V1__ListTenantsReply *reply)
{
    const char *after, *ignored;
    uint32_t limit;

    TRY(values_page_size(call->arena, request->page_size, &limit));
    TRY(cursor_read(call->arena, NO_TENANT, LISTING, request->page_token, &after, &ignored));
    TRY(store_tenant_list(call->tx, call->arena, after, limit + 1, &reply->tenants,
                          &reply->n_tenants));
    if (reply->n_tenants <= limit)
        return OK;
    reply->n_tenants = limit;

    const Registry__V1__Tenant *last = reply->tenants[limit - 1];

    return cursor_make(call->arena, NO_TENANT, LISTING, last->slug, last->tenant_id,
                       &reply->next_page_token);
}

static struct status
set_home_organisation(struct call *call,
                      const Registry__V1__SetHomeOrganisationRequest *request,
                      Registry__V1__SetHomeOrganisationReply *reply)
{
    Registry__V1__Tenant *tenant;

    TRY(values_id(call->arena, "organisation_id", request->organisation_id, true));
    TRY(store_tenant_get(call->tx, call->arena, request->tenant_id, &tenant));
    TRY(rules_tenant_local(call->arena, tenant));
    tenant->home_organisation_id = request->organisation_id;
    TRY(store_tenant_set_home(call->tx, call->arena, tenant, request->expected_version));
    reply->tenant = tenant;
    return OK;
}

/* A repeat finds what the first made. */
static struct status
admit_remote_tenant(struct call *call, const Registry__V1__AdmitRemoteTenantRequest *request,
                    Registry__V1__AdmitRemoteTenantReply *reply)
{
    Registry__V1__Tenant *wanted;
    struct status status;

    TRY(values_id(call->arena, "tenant_id", request->tenant_id, true));
    TRY(rules_tenant_remote(call->arena, request->tenant_id, request->deployment, &wanted));
    TRY(store_tenant_admit(call->tx, wanted, TENANT_REMOTE_MOST));
    status = store_tenant_get(call->tx, call->arena, request->tenant_id, &reply->tenant);
    if (status.code == CODE_NOT_FOUND)
        return FAIL(call->arena, FAILED_PRECONDITION, "%s has %u tenants here, which is all",
                    wanted->deployment, TENANT_REMOTE_MOST);
    TRY(status);
    return rules_tenant_same(call->arena, reply->tenant, wanted);
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Tenants_Service, handler, Registry__V1__##Name##Request,          \
               Registry__V1__##Name##Reply)

METHOD(create_tenant, CreateTenant)
METHOD(get_tenant, GetTenant)
METHOD(list_tenants, ListTenants)
METHOD(admit_remote_tenant, AdmitRemoteTenant)
METHOD(set_home_organisation, SetHomeOrganisation)

static Registry__V1__Tenants_Service service = REGISTRY__V1__TENANTS__INIT(rpc_);
const ProtobufCService *const tenants_service = &service.base;
