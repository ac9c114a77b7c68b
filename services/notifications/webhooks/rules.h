#pragma once

/* What webhooks may be, which events they get, and what an answer means.  Pure: no I/O, no
 * clock. */

#include "common/base/arena.h"
#include "common/base/lang.h"
#include "common/base/status.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"
#include "notifications/v1/webhooks.pb-c.h"

#define WEBHOOKS_MOST 50 /* of a tenant */
#define WEBHOOK_TERMS 64 /* in each list of a filter */
#define WEBHOOK_TERM_BYTES 128
#define WEBHOOK_DESCRIPTION_BYTES 200
#define WEBHOOK_ATTEMPTS 10
#define WEBHOOK_BACKLOG 10000   /* deliveries that wait for one webhook */
#define WEBHOOK_PATIENCE_S 3600 /* what a receiver may ask for by Retry-After */
#define WEBHOOK_OPEN_TESTS 5

/* Checks all that a person may say of a webhook; the URL becomes the one that may be used.
 * INVALID_ARGUMENT names the field. */
must_use struct status rules_webhook(struct arena *arena, bool loopback,
                                     Notifications__V1__Webhook *webhook);

/* Who gets what. */
struct webhook_sieve {
    const char *webhook_id;
    Notifications__V1__WebhookMode mode;
    Notifications__V1__WebhookFilter filter;
    uint64_t fed_through;
    bool full; /* has as many waiting as it may: it is fed later */
};
/* Whether a webhook of the tenant may see the event, and wants it. */
bool rules_webhook_passes(const struct webhook_sieve *sieve, const char *tenant_id,
                          const Io__Cloudevents__V1__CloudEvent *event);

/* The webhook-id of an event: its id where that is fit for a header and without a dot, else a
 * hash of source and id. */
must_use struct status rules_webhook_message_id(struct arena *arena,
                                                const Io__Cloudevents__V1__CloudEvent *event,
                                                const char **ret);

/* Milliseconds to the next try after `attempts` (from 1): 5 s, 5 min, ... 24 h, 75 hours in
 * all, spread by a tenth to both sides with `chance` (0..999); `thousandths` shrinks it for
 * tests. Negative: that was the last. */
int64_t rules_webhook_retry_ms(uint32_t attempts, uint32_t chance, uint32_t thousandths);

/* What came of a request. */
struct webhook_answer {
    uint32_t status;        /* 0: none came */
    uint32_t retry_after_s; /* what the receiver asked for; 0: nothing */
    const char *error;      /* why none came; NULL: one did */
};

enum webhook_verdict { VERDICT_DELIVERED, VERDICT_AGAIN, VERDICT_SLOW_DOWN, VERDICT_GONE };

/* *ret_patience_s: with SLOW_DOWN, for how long nothing is sent, an hour at most; 0: nothing
 * was said. */
enum webhook_verdict rules_webhook_verdict(const struct webhook_answer *answer,
                                           uint32_t *ret_patience_s);
