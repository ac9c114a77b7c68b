#include "services/notifications/store.h"

#include "services/notifications/notifications.h"
#include "services/notifications/notifications_sql.h"

#define TOPICS_MOST 16
#define BAGS_MOST 20

const struct pg_statement *const *const notifications_statements = SQL_STATEMENTS;

/* *ret is NULL after the last row. */
static struct status
next_subscription(struct pg_rows *rows, struct arena *arena,
                  Notifications__V1__Subscription **ret)
{
    Notifications__V1__Subscription *subscription =
        ARENA_NEW(arena, Notifications__V1__Subscription);
    int32_t topic;
    bool email;

    TRY(need(subscription));
    notifications__v1__subscription__init(subscription);
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&subscription->subscription_id), pg_to_i32(&topic),
                            pg_to_bool(&email), pg_to_u64(&subscription->version)))) {
        *ret = NULL;
        return pg_rows_status(rows);
    }
    subscription->topic = (Notifications__V1__Topic)topic;
    subscription->email = email;
    *ret = subscription;
    return OK;
}

struct status
store_subscribe(struct pg_tx *tx, struct arena *arena, const char *id, const char *account_id,
                Notifications__V1__Topic topic, bool email,
                Notifications__V1__Subscription **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_SUBSCRIBE,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_text(account_id),
                       pg_i64(topic), pg_bool(email)),
                 &rows));
    TRY(next_subscription(&rows, arena, ret));
    return *ret ? OK : FAIL(arena, INTERNAL, "a subscription was not returned");
}

struct status
store_subscriptions(struct pg_tx *tx, struct arena *arena, const char *account_id,
                    Notifications__V1__Subscription ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Notifications__V1__Subscription **list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, Notifications__V1__Subscription *, TOPICS_MOST)));
    TRY(pg_query(tx, &SQL_SUBSCRIPTIONS,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id)), &rows));
    while (count < TOPICS_MOST) {
        TRY(next_subscription(&rows, arena, &list[count]));
        if (!list[count])
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_unsubscribe(struct pg_tx *tx, struct arena *arena, const char *id, const char *account_id)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_UNSUBSCRIBE,
                   PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_text(account_id)),
                   &touched));
    return touched ? OK : FAIL(arena, NOT_FOUND, "there is no subscription %s of yours", id);
}

struct status
store_tell(struct pg_tx *tx, const struct news *news)
{
    return pg_query(tx, &SQL_TELL,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(news->event_id),
                          pg_i64((int64_t)news->position), pg_i64(rules_topic(news->kind)),
                          pg_i64(news->kind), pg_i64(news->detail), pg_text(news->subject_kind),
                          pg_text(news->subject_id),
                          pg_text_or_null(news->account_id ? news->account_id : "")),
                    NULL);
}

struct status
store_tell_accounts(struct pg_tx *tx, const struct news *news, const char *const *account_ids,
                    size_t count)
{
    return pg_query(tx, &SQL_TELL_ACCOUNTS,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(news->event_id),
                          pg_i64((int64_t)news->position), pg_i64(rules_topic(news->kind)),
                          pg_i64(news->kind), pg_i64(news->detail), pg_text(news->subject_kind),
                          pg_text(news->subject_id), pg_texts(account_ids, count)),
                    NULL);
}

/* ret->message is NULL after the last row. */
static struct status
next_message(struct pg_rows *rows, struct arena *arena, struct message_row *ret)
{
    struct message_row row = {.message = ARENA_NEW(arena, Notifications__V1__Message)};
    int32_t topic, kind, mail;

    TRY(need(row.message));
    notifications__v1__message__init(row.message);
    if (!pg_next_row(
            rows, arena,
            PG_OUT(pg_to_text(&row.message->message_id), pg_to_i32(&topic), pg_to_i32(&kind),
                   pg_to_i64(&row.detail), pg_to_text(&row.message->subject_kind),
                   pg_to_text(&row.message->subject_id), pg_to_u64(&row.message->position),
                   pg_to_u64(&row.message->created_unix_ms),
                   pg_to_u64(&row.message->read_unix_ms), pg_to_i32(&mail),
                   pg_to_u64(&row.message->version)))) {
        ret->message = NULL;
        return pg_rows_status(rows);
    }
    row.message->topic = (Notifications__V1__Topic)topic;
    row.message->mail = (Notifications__V1__MailState)mail;
    row.kind = (enum message_kind)kind;
    *ret = row;
    return OK;
}

struct status
store_messages(struct pg_tx *tx, struct arena *arena, const char *account_id,
               const char *before_id, bool unread, uint32_t limit, struct message_row **ret,
               size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct message_row *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct message_row, limit)));
    TRY(pg_query(tx, &SQL_MESSAGES,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id),
                       pg_text_or_null(before_id), pg_bool(unread), pg_i64(limit)),
                 &rows));
    while (count < limit) {
        TRY(next_message(&rows, arena, &list[count]));
        if (!list[count].message)
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_message(struct pg_tx *tx, struct arena *arena, const char *account_id, const char *id,
              struct message_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct message_row row;

    TRY(pg_query(tx, &SQL_MESSAGE,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id), pg_text(id)), &rows));
    TRY(next_message(&rows, arena, &row));
    if (!row.message)
        return FAIL(arena, NOT_FOUND, "there is no message %s of yours", id);
    *ret = row;
    return OK;
}

struct status
store_mark_read(struct pg_tx *tx, const char *account_id, const char *id)
{
    return pg_query(tx, &SQL_MARK_READ,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id), pg_text(id)),
                    NULL);
}

struct status
store_unread(struct pg_tx *tx, struct arena *arena, const char *account_id, uint32_t *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_UNREAD_COUNT,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id)), &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_u32(ret)));
}

struct status
store_bags_due(struct pg_tx *tx, struct arena *arena, const char ***ret_tenants,
               size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **tenants;
    size_t count = 0;

    TRY(need(tenants = ARENA_ARRAY(arena, const char *, BAGS_MOST)));
    TRY(pg_query(tx, &SQL_BAGS_DUE, PG_NONE, &rows));
    while (count < BAGS_MOST && pg_next_row(&rows, arena, PG_OUT(pg_to_text(&tenants[count]))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret_tenants = tenants;
    *ret_count = count;
    return OK;
}

struct status
store_take_mail(struct pg_tx *tx, struct arena *arena, int64_t lease_ms, struct mail_row **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct mail_row *mail = ARENA_NEW(arena, struct mail_row);
    int32_t kind;

    TRY(need(mail));
    TRY(pg_query(tx, &SQL_TAKE_MAIL, PG_IN(pg_text(tx->scope.tenant_id), pg_i64(lease_ms)),
                 &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_text(&mail->message_id), pg_to_text(&mail->account_id),
                            pg_to_i32(&kind), pg_to_i64(&mail->detail),
                            pg_to_u32(&mail->attempts)))) {
        TRY(pg_rows_status(&rows));
        *ret = NULL;
        return OK;
    }
    mail->kind = (enum message_kind)kind;
    *ret = mail;
    return OK;
}

struct status
store_mail_done(struct pg_tx *tx, const struct mail_row *mail,
                Notifications__V1__MailState state, int64_t seconds, const char *error)
{
    return pg_query(tx, &SQL_MAIL_DONE,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(mail->message_id),
                          pg_i64(state), pg_i64(seconds), pg_text(error),
                          pg_i64(mail->attempts)),
                    NULL);
}

struct status
store_tie_bag(struct pg_tx *tx)
{
    TRY(pg_query(tx, &SQL_HOLD_BAG, PG_IN(pg_text(tx->scope.tenant_id)), NULL));
    return pg_query(tx, &SQL_TIE_BAG, PG_IN(pg_text(tx->scope.tenant_id)), NULL);
}
