#pragma once

/* Where subscriptions, messages and mails are kept.
 *
 * Every function takes part in the caller's transaction and returns what pg_tx.h lists, besides
 * the codes named with it.  On failure nothing is written to the outputs.  Results live in
 * `arena`.
 */

#include "common/pg/pg_tx.h"
#include "notifications/v1/messages.pb-c.h"
#include "services/notifications/rules.h"

must_use struct status store_subscribe(struct pg_tx *tx, struct arena *arena, const char *id,
                                       const char *account_id, Notifications__V1__Topic topic,
                                       bool email, Notifications__V1__Subscription **ret);
must_use struct status store_subscriptions(struct pg_tx *tx, struct arena *arena,
                                           const char *account_id,
                                           Notifications__V1__Subscription ***ret,
                                           size_t *ret_count);
/* NOT_FOUND. */
must_use struct status store_unsubscribe(struct pg_tx *tx, struct arena *arena, const char *id,
                                         const char *account_id);

/* A message to every subscriber of the topic in the transaction's tenant, once for an event. */
struct news {
    const char *event_id;
    uint64_t position;
    enum message_kind kind;
    int64_t detail;
    const char *subject_kind, *subject_id;
    const char *account_id; /* for this one alone; NULL: for all who subscribe */
};
must_use struct status store_tell(struct pg_tx *tx, const struct news *news);
/* Each of these accounts, subscribed or not; and by mail, but for those who subscribe to the
 * topic without it. */
must_use struct status store_tell_accounts(struct pg_tx *tx, const struct news *news,
                                           const char *const *account_ids, size_t count);

struct message_row {
    Notifications__V1__Message *message; /* without words */
    enum message_kind kind;
    int64_t detail;
};
/* Newest first, before `before_id` ("": from the newest). */
must_use struct status store_messages(struct pg_tx *tx, struct arena *arena,
                                      const char *account_id, const char *before_id,
                                      bool unread, uint32_t limit, struct message_row **ret,
                                      size_t *ret_count);
/* NOT_FOUND. */
must_use struct status store_message(struct pg_tx *tx, struct arena *arena,
                                     const char *account_id, const char *id,
                                     struct message_row *ret);
must_use struct status store_mark_read(struct pg_tx *tx, const char *account_id,
                                       const char *id);
/* At most 1000. */
must_use struct status store_unread(struct pg_tx *tx, struct arena *arena,
                                    const char *account_id, uint32_t *ret);

/* Tenants with mail that is due, at most 20; in a transaction without a tenant. */
must_use struct status store_bags_due(struct pg_tx *tx, struct arena *arena,
                                      const char ***ret_tenants, size_t *ret_count);

struct mail_row {
    const char *message_id, *account_id;
    enum message_kind kind;
    int64_t detail;
    uint32_t attempts; /* with this one */
};
/* Leases the mail of the transaction's tenant that is due the longest, for `lease_ms`.
 * *ret is NULL: none is due, or others have them all. */
must_use struct status store_take_mail(struct pg_tx *tx, struct arena *arena, int64_t lease_ms,
                                       struct mail_row **ret);
/* After the try that `mail` was leased for: SENT, PENDING (again after `seconds`) or PARKED.
 * When somebody else has leased it since, theirs is the word and nothing is written. */
must_use struct status store_mail_done(struct pg_tx *tx, const struct mail_row *mail,
                                       Notifications__V1__MailState state, int64_t seconds,
                                       const char *error);
/* Notes when the tenant's next mail is due; the transaction's last statement. */
must_use struct status store_tie_bag(struct pg_tx *tx);
