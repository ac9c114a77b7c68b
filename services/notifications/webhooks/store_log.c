#include "services/notifications/webhooks/store_log.h"

#include "services/notifications/rules.h"
#include "services/notifications/webhooks/webhooks_sql.h"

#define TENANTS_MOST 10000
#define TENANT(tx) pg_text((tx)->scope.tenant_id)

static struct status
tenants(struct pg_tx *tx, struct arena *arena, const struct pg_statement *statement,
        struct pg_args in, const char ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **list;
    size_t count = 0;

    TRY(pg_query(tx, statement, in, &rows));
    TRY(need(list = ARENA_ARRAY(arena, const char *, rows.count + 1)));
    while (count < rows.count && count < TENANTS_MOST &&
           pg_next_row(&rows, arena, PG_OUT(pg_to_text(&list[count]))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_roll_live(struct pg_tx *tx, struct arena *arena, const char ***ret_tenants,
                size_t *ret_count)
{
    return tenants(tx, arena, &SQL_ROLL_LIVE, PG_NONE, ret_tenants, ret_count);
}

struct status
store_roll_lags(struct pg_tx *tx, struct arena *arena, const char ***ret_tenants,
                size_t *ret_count)
{
    return tenants(tx, arena, &SQL_ROLL_LAGS, PG_NONE, ret_tenants, ret_count);
}

struct status
store_roll_untold(struct pg_tx *tx, struct arena *arena, const char ***ret_tenants,
                  size_t *ret_count)
{
    return tenants(tx, arena, &SQL_ROLL_UNTOLD, PG_NONE, ret_tenants, ret_count);
}

struct status
store_roll_all(struct pg_tx *tx, struct arena *arena, const char *after_id,
               const char ***ret_tenants, size_t *ret_count)
{
    return tenants(tx, arena, &SQL_ROLL_ALL, PG_IN(pg_text(after_id)), ret_tenants, ret_count);
}

static struct status
number_of(struct pg_tx *tx, struct arena *arena, const struct pg_statement *statement,
          struct pg_args in, uint64_t *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, statement, in, &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_u64(ret)));
}

struct status
store_follower_begin(struct pg_tx *tx, struct arena *arena, uint64_t *ret)
{
    TRY(pg_query(tx, &SQL_FOLLOWER_BEGIN, PG_NONE, NULL));
    return number_of(tx, arena, &SQL_FOLLOWER_POSITION, PG_NONE, ret);
}

struct status
store_follower_move(struct pg_tx *tx, uint64_t from, uint64_t to, bool *ret_won)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_FOLLOWER_MOVE, PG_IN(pg_i64((int64_t)from), pg_i64((int64_t)to)),
                   &touched));
    *ret_won = touched == 1;
    return OK;
}

struct status
store_follower_hold(struct pg_tx *tx, struct arena *arena, uint64_t *ret)
{
    return number_of(tx, arena, &SQL_FOLLOWER_SHARE, PG_NONE, ret);
}

struct status
store_sieves(struct pg_tx *tx, struct arena *arena, bool live, struct webhook_sieve **ret,
             size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct webhook_sieve *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct webhook_sieve, WEBHOOKS_MOST)));
    TRY(pg_query(tx, &SQL_SIEVES, PG_IN(TENANT(tx), pg_bool(live)), &rows));
    for (; count < WEBHOOKS_MOST; count++) {
        struct webhook_sieve *sieve = &list[count];
        Notifications__V1__WebhookFilter *f = &sieve->filter;
        int32_t mode;

        notifications__v1__webhook_filter__init(f);
        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_text(&sieve->webhook_id), pg_to_i32(&mode),
                                pg_to_texts(&f->types, &f->n_types),
                                pg_to_texts(&f->tenant_ids, &f->n_tenant_ids),
                                pg_to_texts(&f->subjects, &f->n_subjects),
                                pg_to_texts(&f->programmes, &f->n_programmes),
                                pg_to_texts(&f->nuts, &f->n_nuts),
                                pg_to_texts(&f->concepts, &f->n_concepts),
                                pg_to_u64(&sieve->fed_through))))
            break;
        sieve->mode = (Notifications__V1__WebhookMode)mode;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_add_deliveries(struct pg_tx *tx, const char *webhook_id, bool live,
                     const struct deliveries *all)
{
    return pg_query(tx, &SQL_ADD_DELIVERIES,
                    PG_IN(TENANT(tx), pg_text(webhook_id), pg_i64s(all->positions, all->count),
                          pg_texts(all->message_ids, all->count),
                          pg_texts(all->event_ids, all->count),
                          pg_texts(all->types, all->count), pg_texts(all->lines, all->count),
                          pg_texts(all->headers, all->count), pg_texts(all->bodies, all->count),
                          pg_bool(live)),
                    NULL);
}

struct status
store_open_count(struct pg_tx *tx, struct arena *arena, const char *webhook_id, uint32_t most,
                 uint32_t *ret)
{
    uint64_t count;

    TRY(number_of(tx, arena, &SQL_OPEN_COUNT,
                  PG_IN(TENANT(tx), pg_text(webhook_id), pg_i64(most)), &count));
    *ret = (uint32_t)count;
    return OK;
}

struct status
store_fed(struct pg_tx *tx, const char *webhook_id, bool live, uint64_t through)
{
    return pg_query(
        tx, &SQL_FED,
        PG_IN(TENANT(tx), pg_text(webhook_id), pg_bool(live), pg_i64((int64_t)through)), NULL);
}

struct status
store_feeds_from(struct pg_tx *tx, struct arena *arena, const char *webhook_id,
                 uint64_t position, bool *ret)
{
    uint64_t count;

    TRY(number_of(tx, arena, &SQL_FED_CHECK,
                  PG_IN(TENANT(tx), pg_text(webhook_id), pg_i64((int64_t)position)), &count));
    *ret = count == 1;
    return OK;
}

struct status
store_untold(struct pg_tx *tx, struct arena *arena, struct untold **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct untold *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct untold, WEBHOOKS_MOST)));
    TRY(pg_query(tx, &SQL_UNTOLD, PG_IN(TENANT(tx)), &rows));
    while (count < WEBHOOKS_MOST &&
           pg_next_row(&rows, arena,
                       PG_OUT(pg_to_text(&list[count].webhook_id),
                              pg_to_i32(&list[count].reason), pg_to_u64(&list[count].version))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_tell_officers(struct pg_tx *tx, const struct untold *untold, const char *event_id,
                    const char *const *accounts, size_t account_count)
{
    TRY(pg_query(tx, &SQL_TELL_OFFICERS,
                 PG_IN(TENANT(tx), pg_texts(accounts, account_count), pg_text(event_id),
                       pg_i64(rules_topic(MESSAGE_WEBHOOK_STOPPED)),
                       pg_i64(MESSAGE_WEBHOOK_STOPPED), pg_i64(untold->reason),
                       pg_text(untold->webhook_id)),
                 NULL));
    return pg_query(
        tx, &SQL_TOLD,
        PG_IN(TENANT(tx), pg_text(untold->webhook_id), pg_i64((int64_t)untold->version)), NULL);
}

struct status
store_prune(struct pg_tx *tx, uint32_t days, uint64_t *ret_deleted)
{
    return pg_execute(tx, &SQL_PRUNE, PG_IN(TENANT(tx), pg_i64(days)), ret_deleted);
}

struct status
store_oldest_pending(struct pg_tx *tx, struct arena *arena, double *ret_seconds)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_OLDEST_PENDING, PG_IN(TENANT(tx)), &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_f64(ret_seconds)));
}
