#pragma once

/* Deliveries on their way out: what the sender takes and notes.  Conventions as in store.h. */

#include "services/notifications/webhooks/store.h"

#define BATCH_EVENTS 50

/* Tenants with deliveries that are due, longest first; in a transaction without a tenant. */
must_use struct status store_roll_due(struct pg_tx *tx, struct arena *arena, size_t most,
                                      const char ***ret_tenants, size_t *ret_count);

struct due {
    uint64_t id;
    const char *webhook_id;
    enum delivery_kind kind;
    uint32_t attempts; /* with this one */
    const char *message_id, *type, *line;
    const char *batch; /* "": none yet */
    const char *headers, *url;
    const uint8_t *body, *secret, *old_secret;
    size_t size, secret_size, old_secret_size; /* old_secret_size 0: there is none */
    Notifications__V1__WebhookMode mode;
};
/* Leases what is due for `lease_ms`: at most `most` now, at most `each` under way to one
 * webhook. */
must_use struct status store_take(struct pg_tx *tx, struct arena *arena, uint32_t most,
                                  uint32_t each, int64_t lease_ms, struct due **ret,
                                  size_t *ret_count);

/* Which events go along with the one that was taken, under the id `batch`. */
must_use struct status store_tie_batch(struct pg_tx *tx, const struct due *due,
                                       const char *batch);
/* The bodies of a batch with commas between. */
must_use struct status store_batch_body(struct pg_tx *tx, struct arena *arena,
                                        const char *batch, struct buffer *into);

/* How a try went: written unless somebody else has leased the delivery since (*ret_noted). */
struct tried {
    const struct due *due;
    uint32_t status, latency_ms;
    const char *error;
};
must_use struct status store_delivered(struct pg_tx *tx, const struct tried *tried,
                                       bool *ret_noted);
/* Again in `ms`, as READY, or never, as FAILED. */
must_use struct status store_put_off(struct pg_tx *tx, const struct tried *tried, int64_t ms,
                                     Notifications__V1__DeliveryState state, bool *ret_noted);
must_use struct status store_next_of_line(struct pg_tx *tx, const struct due *due);
must_use struct status store_slow_down(struct pg_tx *tx, const char *webhook_id, int64_t ms);
must_use struct status store_disable(struct pg_tx *tx, const char *webhook_id,
                                     Notifications__V1__WebhookReason reason);
must_use struct status store_verified(struct pg_tx *tx, const char *webhook_id);
