#pragma once

/* The doors of notifications, for main.c. */

#include "common/service/call.h"
#include "services/notifications/webhooks/webhooks.h"

extern const ProtobufCService *const subscriptions_service;
extern const ProtobufCService *const messages_service;
extern const ProtobufCService *const notifications_inbox;
extern const struct pg_statement *const *const notifications_statements;

/* What a mail needs to leave; constant after start. */
struct mail_settings {
    const char *smtp_url, *user, *password;
    const char *from, *name; /* sender */
    const char *public_url;
    bool tls_required;
    uint32_t send_ms;
};

struct notifications_state {
    struct mail_settings mail;
    struct webhooks webhooks;
};

/* The timer that sends due mails. */
must_use struct status sender_run(struct call *call);
