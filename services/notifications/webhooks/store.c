#include "services/notifications/webhooks/store.h"

#include "services/notifications/webhooks/webhooks.h"
#include "services/notifications/webhooks/webhooks_sql.h"

const struct pg_statement *const *const webhooks_statements = SQL_STATEMENTS;

#define TENANT(tx) pg_text((tx)->scope.tenant_id)

struct status
store_hold_roll(struct pg_tx *tx)
{
    return pg_query(tx, &SQL_HOLD_ROLL, PG_IN(TENANT(tx)), NULL);
}

struct status
store_tie_roll(struct pg_tx *tx, int64_t again_ms)
{
    return pg_query(tx, &SQL_TIE_ROLL, PG_IN(TENANT(tx), pg_i64(again_ms)), NULL);
}

static struct status
count_of(struct pg_tx *tx, struct arena *arena, const struct pg_statement *statement,
         struct pg_args in, uint64_t *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, statement, in, &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_u64(ret)));
}

struct status
store_webhook_enrol(struct pg_tx *tx, struct arena *arena)
{
    uint64_t count;

    TRY(pg_query(tx, &SQL_ENROL, PG_IN(TENANT(tx)), NULL));
    TRY(store_hold_roll(tx));
    TRY(count_of(tx, arena, &SQL_WEBHOOK_COUNT, PG_IN(TENANT(tx)), &count));
    if (count >= WEBHOOKS_MOST)
        return FAIL(arena, RESOURCE_EXHAUSTED, "a tenant has at most %d webhooks",
                    WEBHOOKS_MOST);
    return OK;
}

static struct pg_value
texts(const char **items, size_t count)
{
    return pg_texts((const char *const *)items, count);
}

struct status
store_webhook_insert(struct pg_tx *tx, const Notifications__V1__Webhook *webhook,
                     const uint8_t sealed[SEAL_BYTES])
{
    const Notifications__V1__WebhookFilter *f = webhook->filter;

    return pg_query(tx, &SQL_INSERT_WEBHOOK,
                    PG_IN(TENANT(tx), pg_text(webhook->webhook_id), pg_text(webhook->url),
                          texts(f->types, f->n_types), texts(f->tenant_ids, f->n_tenant_ids),
                          texts(f->subjects, f->n_subjects),
                          texts(f->programmes, f->n_programmes), texts(f->nuts, f->n_nuts),
                          texts(f->concepts, f->n_concepts), pg_i64(webhook->mode),
                          pg_text(webhook->description), pg_text(webhook->public_key),
                          pg_bytes(sealed, SEAL_BYTES), pg_i64((int64_t)webhook->position)),
                    NULL);
}

/* ret->webhook is NULL after the last row. */
static struct status
next_webhook(struct pg_rows *rows, struct arena *arena, struct webhook_row *ret)
{
    Notifications__V1__WebhookFilter *f = ARENA_NEW(arena, Notifications__V1__WebhookFilter);
    Notifications__V1__Webhook *w = ARENA_NEW(arena, Notifications__V1__Webhook);
    int32_t mode, state, reason;
    bool verified;

    TRY(need(f));
    TRY(need(w));
    notifications__v1__webhook_filter__init(f);
    notifications__v1__webhook__init(w);
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&w->webhook_id), pg_to_text(&w->url),
                            pg_to_texts(&f->types, &f->n_types),
                            pg_to_texts(&f->tenant_ids, &f->n_tenant_ids),
                            pg_to_texts(&f->subjects, &f->n_subjects),
                            pg_to_texts(&f->programmes, &f->n_programmes),
                            pg_to_texts(&f->nuts, &f->n_nuts),
                            pg_to_texts(&f->concepts, &f->n_concepts), pg_to_i32(&mode),
                            pg_to_text(&w->description), pg_to_i32(&state), pg_to_i32(&reason),
                            pg_to_text(&w->public_key), pg_to_u32(&w->secret_number),
                            pg_to_u64(&w->old_secret_until_unix_ms), pg_to_u32(&w->pending),
                            pg_to_u64(&w->position), pg_to_u64(&w->created_unix_ms),
                            pg_to_u64(&w->version), pg_to_bool(&verified)))) {
        ret->webhook = NULL;
        return pg_rows_status(rows);
    }
    w->filter = f;
    w->mode = (Notifications__V1__WebhookMode)mode;
    w->state = (Notifications__V1__WebhookState)state;
    w->reason = (Notifications__V1__WebhookReason)reason;
    *ret = (struct webhook_row){w, verified};
    return OK;
}

struct status
store_webhook(struct pg_tx *tx, struct arena *arena, const char *id, struct webhook_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct webhook_row row;

    TRY(pg_query(tx, &SQL_WEBHOOKS, PG_IN(TENANT(tx), pg_text(id)), &rows));
    TRY(next_webhook(&rows, arena, &row));
    if (!row.webhook)
        return FAIL(arena, NOT_FOUND, "there is no webhook %s in this tenant", id);
    *ret = row;
    return OK;
}

struct status
store_webhooks(struct pg_tx *tx, struct arena *arena, Notifications__V1__Webhook ***ret,
               size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Notifications__V1__Webhook **list;
    struct webhook_row row;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, Notifications__V1__Webhook *, WEBHOOKS_MOST)));
    TRY(pg_query(tx, &SQL_WEBHOOKS, PG_IN(TENANT(tx), pg_text(NULL)), &rows));
    while (count < WEBHOOKS_MOST) {
        TRY(next_webhook(&rows, arena, &row));
        if (!row.webhook)
            break;
        list[count++] = row.webhook;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_webhook_secret(struct pg_tx *tx, struct arena *arena, const char *id, uint32_t number,
                     const uint8_t **ret, size_t *ret_size)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_WEBHOOK_SECRET, PG_IN(TENANT(tx), pg_text(id), pg_i64(number)),
                 &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_bytes(ret, ret_size)));
}

static struct status
changed(uint64_t touched, struct arena *arena, uint64_t expected_version)
{
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the webhook has changed since version %llu",
                    (unsigned long long)expected_version);
    return OK;
}

struct status
store_webhook_update(struct pg_tx *tx, struct arena *arena, const struct webhook_row *row,
                     uint64_t expected_version, bool stops)
{
    const Notifications__V1__Webhook *webhook = row->webhook;
    const Notifications__V1__WebhookFilter *f = webhook->filter;
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_UPDATE_WEBHOOK,
                   PG_IN(TENANT(tx), pg_text(webhook->webhook_id),
                         pg_i64((int64_t)expected_version), pg_text(webhook->url),
                         texts(f->types, f->n_types), texts(f->tenant_ids, f->n_tenant_ids),
                         texts(f->subjects, f->n_subjects),
                         texts(f->programmes, f->n_programmes), texts(f->nuts, f->n_nuts),
                         texts(f->concepts, f->n_concepts), pg_text(webhook->description),
                         pg_i64(webhook->state), pg_bool(stops), pg_bool(row->verified)),
                   &touched));
    return changed(touched, arena, expected_version);
}

struct status
store_webhook_restart(struct pg_tx *tx, const char *id)
{
    return pg_query(tx, &SQL_RESET_ATTEMPTS, PG_IN(TENANT(tx), pg_text(id)), NULL);
}

struct status
store_webhook_delete(struct pg_tx *tx, struct arena *arena, const char *id,
                     uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_DELETE_WEBHOOK,
                   PG_IN(TENANT(tx), pg_text(id), pg_i64((int64_t)expected_version)),
                   &touched));
    return changed(touched, arena, expected_version);
}

struct status
store_webhook_rotate(struct pg_tx *tx, struct arena *arena, const char *id,
                     uint64_t expected_version, const uint8_t sealed[SEAL_BYTES],
                     const char *public_key)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_ROTATE_SECRET,
                   PG_IN(TENANT(tx), pg_text(id), pg_i64((int64_t)expected_version),
                         pg_bytes(sealed, SEAL_BYTES), pg_text(public_key)),
                   &touched));
    return changed(touched, arena, expected_version);
}

struct status
store_replay_from(struct pg_tx *tx, const char *id, uint64_t after)
{
    return pg_query(tx, &SQL_REPLAY_FROM,
                    PG_IN(TENANT(tx), pg_text(id), pg_i64((int64_t)after)), NULL);
}

struct status
store_replay_one(struct pg_tx *tx, struct arena *arena, const char *id, uint64_t delivery_id)
{
    const struct pg_args which = PG_IN(TENANT(tx), pg_text(id), pg_i64((int64_t)delivery_id));
    const char *line = NULL;
    uint64_t count;

    {
        scoped(pg_rows_clear) struct pg_rows rows = {0};

        TRY(pg_query(tx, &SQL_REPLAY_ONE, which, &rows));
        if (pg_next_row(&rows, arena, PG_OUT(pg_to_text(&line))))
            count = 1;
        TRY(pg_rows_status(&rows));
    }
    if (line)
        return pg_query(tx, &SQL_NEXT_OF_LINE, PG_IN(TENANT(tx), pg_text(id), pg_text(line)),
                        NULL);
    TRY(count_of(tx, arena, &SQL_DELIVERY_EXISTS, which, &count));
    if (count)
        return FAIL(arena, FAILED_PRECONDITION, "delivery %llu is still on its way",
                    (unsigned long long)delivery_id);
    return FAIL(arena, NOT_FOUND, "webhook %s has no delivery %llu", id,
                (unsigned long long)delivery_id);
}

/* *ret is NULL after the last row. */
static struct status
next_delivery(struct pg_rows *rows, struct arena *arena, Notifications__V1__Delivery **ret)
{
    Notifications__V1__Delivery *d = ARENA_NEW(arena, Notifications__V1__Delivery);
    int32_t state;

    TRY(need(d));
    notifications__v1__delivery__init(d);
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_u64(&d->delivery_id), pg_to_text(&d->message_id),
                            pg_to_text(&d->event_id), pg_to_text(&d->type),
                            pg_to_u64(&d->position), pg_to_i32(&state), pg_to_u32(&d->attempts),
                            pg_to_u32(&d->status), pg_to_u32(&d->latency_ms),
                            pg_to_text(&d->error), pg_to_u64(&d->next_attempt_unix_ms),
                            pg_to_u64(&d->created_unix_ms),
                            pg_to_u64(&d->delivered_unix_ms)))) {
        *ret = NULL;
        return pg_rows_status(rows);
    }
    d->state = (Notifications__V1__DeliveryState)state;
    *ret = d;
    return OK;
}

struct status
store_add_ping(struct pg_tx *tx, struct arena *arena, const char *webhook_id,
               const struct ping *ping, Notifications__V1__Delivery **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_ADD_PING,
                 PG_IN(TENANT(tx), pg_text(webhook_id), pg_i64(ping->kind), pg_text(ping->id),
                       pg_text(ping->type), pg_text(ping->headers),
                       pg_bytes(ping->body, ping->size)),
                 &rows));
    TRY(next_delivery(&rows, arena, ret));
    return *ret ? OK : FAIL(arena, INTERNAL, "a delivery was not returned");
}

struct status
store_drop_pings(struct pg_tx *tx, const char *webhook_id)
{
    return pg_query(tx, &SQL_DROP_PINGS, PG_IN(TENANT(tx), pg_text(webhook_id)), NULL);
}

struct status
store_open_tests(struct pg_tx *tx, struct arena *arena, const char *webhook_id, uint32_t *ret)
{
    uint64_t count;

    TRY(count_of(tx, arena, &SQL_OPEN_TESTS, PG_IN(TENANT(tx), pg_text(webhook_id)), &count));
    *ret = (uint32_t)count;
    return OK;
}

struct status
store_deliveries(struct pg_tx *tx, struct arena *arena, const char *webhook_id,
                 uint64_t before_id, Notifications__V1__DeliveryState state, uint32_t limit,
                 Notifications__V1__Delivery ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Notifications__V1__Delivery **list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, Notifications__V1__Delivery *, limit)));
    TRY(pg_query(tx, &SQL_DELIVERIES,
                 PG_IN(TENANT(tx), pg_text(webhook_id),
                       before_id ? pg_i64((int64_t)before_id) : pg_text(NULL), pg_i64(state),
                       pg_i64(limit)),
                 &rows));
    while (count < limit) {
        TRY(next_delivery(&rows, arena, &list[count]));
        if (!list[count])
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_follower_position(struct pg_tx *tx, struct arena *arena, uint64_t *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint64_t position;

    TRY(pg_query(tx, &SQL_FOLLOWER_POSITION, PG_NONE, &rows));
    if (!pg_next_row(&rows, arena, PG_OUT(pg_to_u64(&position)))) {
        TRY(pg_rows_status(&rows));
        return FAIL(arena, UNAVAILABLE, "the log has not been followed yet");
    }
    *ret = position;
    return OK;
}
