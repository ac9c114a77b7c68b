#pragma once

/* Deliveries out of the log: what the follower and the timers write.  Conventions as in
 * store.h. */

#include "services/notifications/webhooks/store.h"

/* Tenants, by id: with a webhook that takes events as they come; one that lags; one whose
 * officers are to be told; and all after `after_id`, 200 at a time. */
must_use struct status store_roll_live(struct pg_tx *tx, struct arena *arena,
                                       const char ***ret_tenants, size_t *ret_count);
must_use struct status store_roll_lags(struct pg_tx *tx, struct arena *arena,
                                       const char ***ret_tenants, size_t *ret_count);
must_use struct status store_roll_untold(struct pg_tx *tx, struct arena *arena,
                                         const char ***ret_tenants, size_t *ret_count);
must_use struct status store_roll_all(struct pg_tx *tx, struct arena *arena,
                                      const char *after_id, const char ***ret_tenants,
                                      size_t *ret_count);

/* The position that the follower has stored; where the inbox stands when it has none yet. */
must_use struct status store_follower_begin(struct pg_tx *tx, struct arena *arena,
                                            uint64_t *ret);
/* *ret_won: nobody else has moved it from there. */
must_use struct status store_follower_move(struct pg_tx *tx, uint64_t from, uint64_t to,
                                           bool *ret_won);
/* The position, which stays while the transaction lasts. */
must_use struct status store_follower_hold(struct pg_tx *tx, struct arena *arena,
                                           uint64_t *ret);

/* The tenant's webhooks that take events as they come, or those that lag. */
must_use struct status store_sieves(struct pg_tx *tx, struct arena *arena, bool live,
                                    struct webhook_sieve **ret, size_t *ret_count);

/* Events for one webhook, in the order of their positions. */
#define STORE_DELIVERIES_MOST 100
struct deliveries {
    size_t count;
    int64_t positions[STORE_DELIVERIES_MOST];
    const char *message_ids[STORE_DELIVERIES_MOST], *event_ids[STORE_DELIVERIES_MOST];
    const char *types[STORE_DELIVERIES_MOST], *lines[STORE_DELIVERIES_MOST];
    const char *headers[STORE_DELIVERIES_MOST];
    const char *bodies[STORE_DELIVERIES_MOST]; /* hexadecimal */
};
/* Nothing when the webhook is no longer active, or no longer live as `live` says.  What has
 * been delivered before goes out again. */
must_use struct status store_add_deliveries(struct pg_tx *tx, const char *webhook_id, bool live,
                                            const struct deliveries *deliveries);
/* How many wait, at most `most` are counted. */
must_use struct status store_open_count(struct pg_tx *tx, struct arena *arena,
                                        const char *webhook_id, uint32_t most, uint32_t *ret);
/* Everything up to `through` has its delivery; `live`: and so will what comes. */
must_use struct status store_fed(struct pg_tx *tx, const char *webhook_id, bool live,
                                 uint64_t through);
/* Whether it is still to be fed from that position. */
must_use struct status store_feeds_from(struct pg_tx *tx, struct arena *arena,
                                        const char *webhook_id, uint64_t position, bool *ret);

/* Webhooks that were disabled and whose officers do not know. */
struct untold {
    const char *webhook_id;
    int32_t reason;
    uint64_t version;
};
must_use struct status store_untold(struct pg_tx *tx, struct arena *arena, struct untold **ret,
                                    size_t *ret_count);
/* A message and a mail for each account; and it is told. */
must_use struct status store_tell_officers(struct pg_tx *tx, const struct untold *untold,
                                           const char *event_id, const char *const *accounts,
                                           size_t account_count);

/* Deletes what was delivered over `days` ago, 5000 at a time. */
must_use struct status store_prune(struct pg_tx *tx, uint32_t days, uint64_t *ret_deleted);
/* Age of the oldest delivery that waits for an active webhook. */
must_use struct status store_oldest_pending(struct pg_tx *tx, struct arena *arena,
                                            double *ret_seconds);
