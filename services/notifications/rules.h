#pragma once

/* What a message says, and when a mail is tried again.  Pure: no I/O, no clock. */

#include "common/base/arena.h"
#include "common/base/lang.h"
#include "common/base/status.h"
#include "notifications/v1/messages.pb-c.h"

/* What happened; kept in the database: never renumber. */
enum message_kind {
    MESSAGE_MATCH_SUGGESTED = 1, /* detail: score in thousandths */
    MESSAGE_MATCH_ACCEPTED = 2,
    MESSAGE_MATCH_DECLINED = 3,
    MESSAGE_VERDICT = 4, /* detail: number of registry.v1.Verdict.Overall */
    MESSAGE_PLACEMENT_STARTED = 5,
    MESSAGE_PLACEMENT_ENDED = 6,
    MESSAGE_PLACEMENT_OUTCOME = 7, /* detail: number of registry.v1.Outcome */
    MESSAGE_WEBHOOK_STOPPED = 8,   /* detail: number of WebhookReason */
    MESSAGE_SEARCH_HIT = 9,
};

Notifications__V1__Topic rules_topic(enum message_kind kind);

struct message_words {
    const char *title;
    const char *text;
    bool unasked; /* nobody subscribed to it: the letter says why it comes */
};

must_use struct status rules_words(struct arena *arena, enum message_kind kind, int64_t detail,
                                   enum lang lang, struct message_words *ret);

/* The letter around the words. */
must_use struct status rules_letter(struct arena *arena, const struct message_words *words,
                                    const char *name, const char *public_url, enum lang lang,
                                    const char **ret);

must_use struct status rules_subscription(struct arena *arena,
                                          const Notifications__V1__SubscribeRequest *request);

#define MAIL_ATTEMPTS 10

/* Seconds to the next try after `attempts` tries: 5, 30, 120, ... up to six hours. */
int64_t rules_retry_seconds(uint32_t attempts);
