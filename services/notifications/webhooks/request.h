#pragma once

/* A due delivery as a signed request (Standard Webhooks 1.0.0). */

#include "common/base/clock.h"
#include "services/notifications/webhooks/post.h"
#include "services/notifications/webhooks/store_send.h"

/* `body`: what is sent, of one event or, in BATCH mode, of several with commas between; `batch`
 * is then the id of them all.  Everything lives in `arena`. INVALID_ARGUMENT: the URL is not
 * allowed (any more); FAILED_PRECONDITION: the secret cannot be opened. */
must_use struct status request_make(const struct seal_ring *ring, const char *tenant_id,
                                    const struct due *due, const char *batch,
                                    const struct buffer *body, struct wall now, bool loopback,
                                    struct arena *arena, struct post_request *ret);
