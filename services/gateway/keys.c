#include "services/gateway/keys.h"

#include "common/wire/keys.h"

const char *const keys_services[] = {"registry", "matching", "events", "notifications", NULL};

struct status
keys_public(const struct gateway *gateway, const char *service, struct arena *into,
            struct arena *arena, const char **ret)
{
    char text[KEY_TEXT_SIZE];

    if (!gateway->frame->settings->curve) {
        *ret = NULL;
        return OK;
    }
    TRY(key_public_load(gateway->frame->settings->key_folder, service, arena, text));
    TRY(need(*ret = arena_copy(into, text)));
    return OK;
}

struct status
keys_rpc_client(const struct gateway *gateway, struct arena *arena, struct rpc_client **ret)
{
    const struct service_frame *frame = gateway->frame;
    scoped(rpc_client_destroy) struct rpc_client *client = NULL;
    const struct rpc_client_config config = {.zmq_context = frame->zmq_context,
                                             .resolver = frame->resolver,
                                             .clock = frame->clock,
                                             .curve = frame->settings->curve,
                                             .own = frame->own_key,
                                             .in_flight_limit = 4096};

    TRY(rpc_client_create(&config, arena, &client));
    for (const char *const *service = keys_services; *service; service++) {
        const char *server_public;

        TRY(keys_public(gateway, *service, arena, arena, &server_public));
        TRY(rpc_client_add(client, *service,
                           common_settings_endpoints(frame->settings, *service), server_public,
                           arena));
    }
    *ret = take(&client);
    return OK;
}
