#include "common/service/service.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/tenants/tenants.h"

int
main(int argc, char **argv)
{
    const ProtobufCService *const methods[] = {tenants_service, organisations_service, NULL};
    const struct pg_statement *const *const statements[] = {tenants_statements,
                                                            organisations_statements, NULL};
    const struct service registry = {
        .name = "registry",
        .methods = methods,
        .statements = statements,
        .schema_version = 2,
        .uses = USES_POSTGRES | USES_DOORBELL,
    };

    return service_main(argc, argv, &registry);
}
