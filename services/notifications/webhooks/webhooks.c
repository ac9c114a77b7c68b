#include "services/notifications/webhooks/webhooks.h"

#include "common/event/event_json.h"
#include "common/service/common_settings.h"
#include "services/notifications/webhooks/follow.h"
#include "services/notifications/webhooks/seal.h"
#include "services/notifications/webhooks/send.h"

struct status
webhooks_create(const struct webhooks_config *config, struct arena *arena, struct webhooks *ret)
{
    *ret = (struct webhooks){.config = *config};
    TRY(seal_ring_create(config->keys, arena, &ret->ring));
    if (seal_ring_empty(ret->ring))
        log_warn("webhook_keys is empty: there can be no webhooks");
    return event_json_create(arena, &ret->events);
}

void
webhooks_destroy(struct webhooks *webhooks)
{
    event_json_destroy(&webhooks->events);
    seal_ring_destroy(&webhooks->ring);
}

struct status
webhooks_pg(const struct service_frame *frame, const char *name, struct arena *arena,
            struct pg **ret)
{
    static const struct pg_statement *const *rooms[2];
    const struct common_settings *settings = frame->settings;

    rooms[0] = webhooks_statements;
    return pg_create(&(struct pg_config){.dsn = settings->pg_dsn,
                                         .password = settings->pg_password,
                                         .application_name = name,
                                         .rooms = rooms,
                                         .clock = frame->clock,
                                         .pooled = settings->pg_pooled},
                     arena, ret);
}

struct status
webhooks_start(struct webhooks *webhooks, struct service_frame *frame, struct arena *arena)
{
    TRY(sender_start(webhooks, frame, arena, &webhooks->sender));
    return follower_start(webhooks, frame, arena, &webhooks->follower);
}

void
webhooks_stop(struct webhooks *webhooks)
{
    follower_stop(&webhooks->follower);
    sender_stop(&webhooks->sender);
}
