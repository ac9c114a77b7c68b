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
    /* Of a round, for those who follow the tenant's, and for those who take part: in the order
     * of matching.v1.RoundNews. */
    MESSAGE_ROUND_OPENED = 10,
    MESSAGE_ROUND_SOLVED = 11,
    MESSAGE_ROUND_RESULT = 12,
    MESSAGE_ROUND_CHANGED = 13,
    MESSAGE_ROUND_FINAL = 14,
    MESSAGE_ROUND_AMENDED = 15,
    MESSAGE_OWN_ROUND_OPENED = 16,
    MESSAGE_OWN_ROUND_SOLVED = 17, /* told to nobody */
    MESSAGE_OWN_ROUND_RESULT = 18,
    MESSAGE_OWN_ROUND_CHANGED = 19,
    MESSAGE_OWN_ROUND_FINAL = 20,
    MESSAGE_OWN_ROUND_AMENDED = 21,
};

Notifications__V1__Topic rules_topic(enum message_kind kind);

/* Why a letter comes, which it says at its end. */
enum message_why { WHY_SUBSCRIBED, WHY_OFFICER, WHY_TAKES_PART };

struct message_words {
    const char *title;
    const char *text;
    enum message_why why;
};

must_use struct status rules_words(struct arena *arena, enum message_kind kind, int64_t detail,
                                   enum lang lang, struct message_words *ret);

/* The letter around the words. */
must_use struct status rules_letter(struct arena *arena, const struct message_words *words,
                                    const char *name, const char *public_url, enum lang lang,
                                    const char **ret);

/* `officer`: the caller is a partnership officer or a programme director.
 * PERMISSION_DENIED: the topic is for those. */
must_use struct status rules_subscription(struct arena *arena,
                                          const Notifications__V1__SubscribeRequest *request,
                                          bool officer);

#define MAIL_ATTEMPTS 10

/* Seconds to the next try after `attempts` tries: 5, 30, 120, ... up to six hours. */
int64_t rules_retry_seconds(uint32_t attempts);
