#pragma once

/* Where webhooks and their deliveries are kept: what people see and change.
 *
 * Every function takes part in the caller's transaction and returns what pg_tx.h lists, besides
 * the codes named with it.  On failure nothing is written to the outputs.  Results live in
 * `arena`. Whoever changes something holds the tenant's roll first (store_hold_roll) and ties
 * it last. */

#include "common/pg/pg_tx.h"
#include "services/notifications/webhooks/rules.h"
#include "services/notifications/webhooks/seal.h"

/* One transaction after the other for all that changes webhooks of a tenant. */
must_use struct status store_hold_roll(struct pg_tx *tx);
/* Notes where the threads have to look; what is due now is looked at in `again_ms`. */
must_use struct status store_tie_roll(struct pg_tx *tx, int64_t again_ms);

/* Adds the tenant to the roll and holds it.  RESOURCE_EXHAUSTED: it has as many as it may. */
must_use struct status store_webhook_enrol(struct pg_tx *tx, struct arena *arena);
/* Feeds it from `position` on, once it is verified. */
must_use struct status store_webhook_insert(struct pg_tx *tx,
                                            const Notifications__V1__Webhook *webhook,
                                            const uint8_t sealed[SEAL_BYTES]);

struct webhook_row {
    Notifications__V1__Webhook *webhook;
    bool verified;
};
/* NOT_FOUND. */
must_use struct status store_webhook(struct pg_tx *tx, struct arena *arena, const char *id,
                                     struct webhook_row *ret);
/* Newest first. */
must_use struct status store_webhooks(struct pg_tx *tx, struct arena *arena,
                                      Notifications__V1__Webhook ***ret, size_t *ret_count);
/* The sealed secret of that number.  NOT_FOUND: it is another one by now. */
must_use struct status store_webhook_secret(struct pg_tx *tx, struct arena *arena,
                                            const char *id, uint32_t number,
                                            const uint8_t **ret, size_t *ret_size);

/* Writes what has changed.  `stops`: events do not flow for now, and are fed from the log
 * later. VERSION_MISMATCH. */
must_use struct status store_webhook_update(struct pg_tx *tx, struct arena *arena,
                                            const struct webhook_row *row,
                                            uint64_t expected_version, bool stops);
/* What waits begins anew. */
must_use struct status store_webhook_restart(struct pg_tx *tx, const char *id);
/* VERSION_MISMATCH. */
must_use struct status store_webhook_delete(struct pg_tx *tx, struct arena *arena,
                                            const char *id, uint64_t expected_version);
must_use struct status store_webhook_rotate(struct pg_tx *tx, struct arena *arena,
                                            const char *id, uint64_t expected_version,
                                            const uint8_t sealed[SEAL_BYTES],
                                            const char *public_key);

/* Everything after the position goes out again. */
must_use struct status store_replay_from(struct pg_tx *tx, const char *id, uint64_t after);
/* A delivered one goes out again.  NOT_FOUND; FAILED_PRECONDITION: it has not been delivered
 * yet. */
must_use struct status store_replay_one(struct pg_tx *tx, struct arena *arena, const char *id,
                                        uint64_t delivery_id);

/* Numbers of webhook_delivery.kind. */
enum delivery_kind { DELIVERY_EVENT = 1, DELIVERY_VERIFICATION = 2, DELIVERY_TEST = 3 };

struct ping {
    enum delivery_kind kind;
    const char *id, *type;
    const char *headers;
    const uint8_t *body;
    size_t size;
};
must_use struct status store_add_ping(struct pg_tx *tx, struct arena *arena,
                                      const char *webhook_id, const struct ping *ping,
                                      Notifications__V1__Delivery **ret);
/* Verifications that wait are not sent any more. */
must_use struct status store_drop_pings(struct pg_tx *tx, const char *webhook_id);
must_use struct status store_open_tests(struct pg_tx *tx, struct arena *arena,
                                        const char *webhook_id, uint32_t *ret);

/* Newest first, before `before_id` (0: from the newest). */
must_use struct status store_deliveries(struct pg_tx *tx, struct arena *arena,
                                        const char *webhook_id, uint64_t before_id,
                                        Notifications__V1__DeliveryState state, uint32_t limit,
                                        Notifications__V1__Delivery ***ret, size_t *ret_count);

/* Where the follower stands.  UNAVAILABLE: it has never run. */
must_use struct status store_follower_position(struct pg_tx *tx, struct arena *arena,
                                               uint64_t *ret);
