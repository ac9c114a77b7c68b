#pragma once

/* An event as the header lines and the body of a request: CloudEvents 1.0.2 over HTTP. */

#include "common/base/arena.h"
#include "common/event/event_json.h"
#include "notifications/v1/webhooks.pb-c.h"

#define CONTENT_BYTES ((size_t)256 << 10)

struct content {
    const char *headers; /* "name: value\n" each; "" in a batch, whose request has its own */
    const uint8_t *body;
    size_t size;
};

/* Structured and batch: the event in JSON.  Binary: attributes as percent-encoded ce- headers,
 * the data as it is.  Everything lives in `arena`. */
must_use struct status content_make(const struct event_json *events,
                                    const Io__Cloudevents__V1__CloudEvent *event,
                                    Notifications__V1__WebhookMode mode, struct arena *arena,
                                    struct content *ret);

/* An event of our own without data, such as a verification. */
must_use struct status content_ping(struct arena *arena, const char *id, const char *source,
                                    const char *type, const char *subject, const char *time,
                                    Io__Cloudevents__V1__CloudEvent *ret);
