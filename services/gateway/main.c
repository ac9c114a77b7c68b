#include "services/gateway/gateway.h"

int
main(int argc, char **argv)
{
    const ProtobufCService *const methods[] = {NULL};
    const struct service gateway = {
        .name = "gateway",
        .methods = methods,
        .settings = gateway_settings_table,
        .settings_values = &gateway_settings,
        .create_state = gateway_create,
        .destroy_state = gateway_destroy,
        .start = gateway_start,
        .stop = gateway_stop,
        .drained = gateway_drained,
        .not_ready = gateway_not_ready,
    };

    return service_main(argc, argv, &gateway);
}
