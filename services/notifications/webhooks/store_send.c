#include "services/notifications/webhooks/store_send.h"

#include "services/notifications/webhooks/webhooks_sql.h"

#define TENANT(tx) pg_text((tx)->scope.tenant_id)

struct status
store_roll_due(struct pg_tx *tx, struct arena *arena, size_t most, const char ***ret_tenants,
               size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, const char *, most)));
    TRY(pg_query(tx, &SQL_ROLL_DUE, PG_IN(pg_i64((int64_t)most)), &rows));
    while (count < most && pg_next_row(&rows, arena, PG_OUT(pg_to_text(&list[count]))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret_tenants = list;
    *ret_count = count;
    return OK;
}

static bool
next_due(struct pg_rows *rows, struct arena *arena, struct due *due)
{
    int32_t kind, mode;

    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_u64(&due->id), pg_to_text(&due->webhook_id), pg_to_i32(&kind),
                            pg_to_u32(&due->attempts), pg_to_text(&due->message_id),
                            pg_to_text(&due->type), pg_to_text(&due->line),
                            pg_to_text(&due->batch), pg_to_text(&due->headers),
                            pg_to_bytes(&due->body, &due->size), pg_to_text(&due->url),
                            pg_to_i32(&mode), pg_to_bytes(&due->secret, &due->secret_size),
                            pg_to_bytes(&due->old_secret, &due->old_secret_size))))
        return false;
    due->kind = (enum delivery_kind)kind;
    due->mode = (Notifications__V1__WebhookMode)mode;
    return true;
}

struct status
store_take(struct pg_tx *tx, struct arena *arena, uint32_t most, uint32_t each,
           int64_t lease_ms, struct due **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct due *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct due, most + 1)));
    TRY(pg_query(tx, &SQL_TAKE, PG_IN(TENANT(tx), pg_i64(most), pg_i64(each), pg_i64(lease_ms)),
                 &rows));
    while (count < most && next_due(&rows, arena, &list[count]))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_tie_batch(struct pg_tx *tx, const struct due *due, const char *batch)
{
    return pg_query(
        tx, &SQL_TIE_BATCH,
        PG_IN(TENANT(tx), pg_text(due->webhook_id), pg_i64((int64_t)due->id), pg_text(batch)),
        NULL);
}

struct status
store_batch_body(struct pg_tx *tx, struct arena *arena, const char *batch, struct buffer *into)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const uint8_t *body;
    bool first = true;
    size_t size;

    TRY(pg_query(tx, &SQL_BATCH_BODIES, PG_IN(TENANT(tx), pg_text(batch)), &rows));
    while (pg_next_row(&rows, arena, PG_OUT(pg_to_bytes(&body, &size)))) {
        if (!first)
            buffer_putc(into, ',');
        buffer_put(into, body, size);
        first = false;
    }
    TRY(pg_rows_status(&rows));
    return buffer_check(into, arena);
}

struct status
store_delivered(struct pg_tx *tx, const struct tried *tried, bool *ret_noted)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_DELIVERED,
                   PG_IN(TENANT(tx), pg_i64((int64_t)tried->due->id),
                         pg_i64(tried->due->attempts), pg_i64(tried->status),
                         pg_i64(tried->latency_ms)),
                   &touched));
    *ret_noted = touched > 0;
    return OK;
}

struct status
store_put_off(struct pg_tx *tx, const struct tried *tried, int64_t ms,
              Notifications__V1__DeliveryState state, bool *ret_noted)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_PUT_OFF,
                   PG_IN(TENANT(tx), pg_i64((int64_t)tried->due->id),
                         pg_i64(tried->due->attempts), pg_i64(ms), pg_i64(tried->status),
                         pg_i64(tried->latency_ms), pg_i64(state), pg_text(tried->error)),
                   &touched));
    *ret_noted = touched > 0;
    return OK;
}

struct status
store_next_of_line(struct pg_tx *tx, const struct due *due)
{
    return pg_query(tx, &SQL_NEXT_OF_LINE,
                    PG_IN(TENANT(tx), pg_text(due->webhook_id), pg_text(due->line)), NULL);
}

struct status
store_slow_down(struct pg_tx *tx, const char *webhook_id, int64_t ms)
{
    return pg_query(tx, &SQL_SLOW_DOWN, PG_IN(TENANT(tx), pg_text(webhook_id), pg_i64(ms)),
                    NULL);
}

struct status
store_disable(struct pg_tx *tx, const char *webhook_id, Notifications__V1__WebhookReason reason)
{
    return pg_query(tx, &SQL_DISABLE, PG_IN(TENANT(tx), pg_text(webhook_id), pg_i64(reason)),
                    NULL);
}

struct status
store_verified(struct pg_tx *tx, const char *webhook_id)
{
    return pg_query(tx, &SQL_VERIFIED, PG_IN(TENANT(tx), pg_text(webhook_id)), NULL);
}
