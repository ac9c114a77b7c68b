#include "services/events/federation_admit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/uuid.h"
#include "common/service/common_settings.h"
#include "registry/v1/tenants.pb-c.h"

#define ADMIT_MS 5000

struct federation_admit {
    struct rpc_client *rpc;
    const struct clock *clock;
};

struct status
federation_admit_create(struct service_frame *frame, struct arena *arena,
                        struct federation_admit **ret)
{
    scoped(federation_admit_destroy) struct federation_admit *admit = calloc(1, sizeof *admit);
    const struct common_settings *settings = frame->settings;
    char registry_public[KEY_TEXT_SIZE] = "";

    TRY(need(admit));
    admit->clock = frame->clock;
    if (settings->curve)
        TRY(key_public_load(settings->key_folder, "registry", arena, registry_public));
    TRY(rpc_client_create(&(struct rpc_client_config){.zmq_context = frame->zmq_context,
                                                      .resolver = frame->resolver,
                                                      .clock = frame->clock,
                                                      .curve = settings->curve,
                                                      .own = frame->own_key},
                          arena, &admit->rpc));
    TRY(rpc_client_add(admit->rpc, "registry", settings->registry_endpoints,
                       settings->curve ? registry_public : NULL, arena));
    *ret = take(&admit);
    return OK;
}

void
federation_admit_destroy(struct federation_admit **admit)
{
    struct federation_admit *gone = take(admit);

    if (!gone)
        return;
    rpc_client_destroy(&gone->rpc);
    free(gone);
}

struct status
federation_admit_tenant(void *context, const char *tenant_id, const char *deployment,
                        struct arena *arena)
{
    struct federation_admit *admit = context;
    Registry__V1__AdmitRemoteTenantRequest request =
        REGISTRY__V1__ADMIT_REMOTE_TENANT_REQUEST__INIT;
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    Wire__V1__Role roles[] = {WIRE__V1__ROLE__SERVICE};
    ProtobufCMessage *reply;
    char key[UUID_SIZE];

    uuid_v7(admit->clock, key);
    principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    principal.subject_id = "events";
    principal.roles = roles;
    principal.n_roles = COUNT_OF(roles);
    request.tenant_id = tenant_id;
    request.deployment = deployment;
    return rpc_call(
        admit->rpc, "registry.v1.Tenants/AdmitRemoteTenant", &request.base,
        &registry__v1__admit_remote_tenant_reply__descriptor,
        &(struct rpc_options){.principal = &principal,
                              .idempotency_key = key,
                              .deadline = mono_add_ms(clock_mono(admit->clock), ADMIT_MS)},
        arena, &reply);
}
