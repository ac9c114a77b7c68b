#include <curl/curl.h>

#include "common/service/common_settings.h"
#include "common/service/service.h"
#include "services/notifications/notifications.h"

struct notifications_settings {
#include "common/base/setting_members.h"
#include "services/notifications/settings.def"
#include "common/base/setting_end.h"
};

static struct notifications_settings settings;

static const struct setting settings_table[] = {
#define SETTING_STRUCT struct notifications_settings
#include "common/base/setting_table.h"
#include "services/notifications/settings.def"
#include "common/base/setting_end.h"
    {0},
};

static struct notifications_state state;

static struct status
create_state(struct service_frame *frame, struct arena *arena, void **ret)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return FAIL(arena, INTERNAL, "libcurl does not start");
    state.mail = (struct mail_settings){.smtp_url = settings.smtp_url,
                                        .user = settings.smtp_user,
                                        .password = settings.smtp_password,
                                        .from = settings.mail_from,
                                        .name = settings.mail_name,
                                        .public_url = settings.public_url,
                                        .tls_required = settings.smtp_tls_required,
                                        .send_ms = (uint32_t)settings.mail_send_ms};
    *ret = &state;
    return webhooks_create(
        &(struct webhooks_config){.keys = settings.webhook_keys,
                                  .ca_file = settings.webhook_ca_file,
                                  .source = frame->settings->event_source,
                                  .timeout_ms = (uint32_t)settings.webhook_timeout_ms,
                                  .in_flight = (uint32_t)settings.webhook_in_flight,
                                  .in_flight_all = (uint32_t)settings.webhook_in_flight_all,
                                  .log_days = (uint32_t)settings.webhook_log_days,
                                  .retry_thousandths =
                                      (uint32_t)settings.webhook_retry_thousandths,
                                  .loopback = settings.webhook_insecure_loopback},
        arena, &state.webhooks);
}

static void
destroy_state(void *shared)
{
    struct notifications_state *made = shared;

    if (made)
        webhooks_destroy(&made->webhooks);
    curl_global_cleanup();
}

static struct status
start(struct service_frame *frame, struct arena *arena)
{
    return webhooks_start(&state.webhooks, frame, arena);
}

static void
stop(struct service_frame *frame)
{
    (void)frame;
    webhooks_stop(&state.webhooks);
}

int
main(int argc, char **argv)
{
    static const struct service_timer timers[] = {
        {.name = "send_mails", .every_ms = 500, .run = sender_run},
        {.name = "feed_webhooks", .every_ms = 250, .run = webhooks_feed},
        {.name = "tell_webhooks", .every_ms = 1000, .run = webhooks_tell},
        {.name = "tidy_webhooks", .every_ms = 15000, .run = webhooks_tidy},
        {0},
    };
    static const char *const calls[] = {"registry", "events", NULL};
    const ProtobufCService *const methods[] = {subscriptions_service, messages_service,
                                               webhooks_service, NULL};
    const struct pg_statement *const *const statements[] = {notifications_statements,
                                                            webhooks_statements, NULL};
    const struct service_inbox inbox = {.service = notifications_inbox, .stored = true};
    const struct service notifications = {
        .name = "notifications",
        .methods = methods,
        .inbox = &inbox,
        .settings = settings_table,
        .settings_values = &settings,
        .timers = timers,
        .statements = statements,
        .calls = calls,
        .schema_version = 4,
        .uses = USES_POSTGRES | USES_RPC,
        .create_state = create_state,
        .destroy_state = destroy_state,
        .start = start,
        .stop = stop,
    };

    return service_main(argc, argv, &notifications);
}
