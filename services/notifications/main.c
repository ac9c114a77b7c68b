#include <curl/curl.h>

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
    (void)frame;
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
    return OK;
}

static void
destroy_state(void *shared)
{
    (void)shared;
    curl_global_cleanup();
}

int
main(int argc, char **argv)
{
    static const struct service_timer timers[] = {
        {.name = "send_mails", .every_ms = 500, .run = sender_run},
        {0},
    };
    static const char *const calls[] = {"registry", NULL};
    const ProtobufCService *const methods[] = {subscriptions_service, messages_service, NULL};
    const struct pg_statement *const *const statements[] = {notifications_statements, NULL};
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
        .schema_version = 1,
        .uses = USES_POSTGRES | USES_RPC,
        .create_state = create_state,
        .destroy_state = destroy_state,
    };

    return service_main(argc, argv, &notifications);
}
