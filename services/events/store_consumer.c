#include "services/events/store_consumer.h"

#include <inttypes.h>

#include "services/events/events_sql.h"

static struct status
check_new(struct pg_tx *tx, const struct store_consumer *consumer, uint64_t *ret_head)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint64_t count;
    bool known;

    TRY(pg_query(tx, &SQL_CONSUMER_COUNT,
                 PG_IN(pg_text(consumer->user_id), pg_text(consumer->name)), &rows));
    TRY(pg_one_row(&rows, tx->arena,
                   PG_OUT(pg_to_u64(&count), pg_to_bool(&known), pg_to_u64(ret_head))));
    if (!known && consumer->after > *ret_head)
        return FAIL_FIELD(tx->arena, "follow.after", "the log ends at %" PRIu64, *ret_head);
    if (!known && count >= STORE_CONSUMERS_OF_A_KEY)
        return FAIL(tx->arena, RESOURCE_EXHAUSTED,
                    "a key has at most %d durable consumers: forget one",
                    STORE_CONSUMERS_OF_A_KEY);
    return OK;
}

struct status
store_consumer_open(struct pg_tx *tx, struct store_consumer *consumer, uint64_t *ret_head)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    int64_t *lanes = NULL, epoch;
    size_t count;

    TRY(check_new(tx, consumer, ret_head));
    TRY(pg_query(tx, &SQL_CONSUMER_OPEN,
                 PG_IN(pg_text(consumer->user_id), pg_text(consumer->name),
                       pg_i64((int64_t)consumer->after)),
                 &rows));
    TRY(pg_one_row(&rows, tx->arena, PG_OUT(pg_to_i64(&epoch), pg_to_i64s(&lanes, &count))));
    if (count != GROUP_LANES)
        return FAIL(tx->arena, INTERNAL, "a consumer with %zu lanes", count);
    for (size_t i = 0; i < GROUP_LANES; i++)
        consumer->acked[i] = (uint64_t)lanes[i];
    consumer->epoch = epoch;
    return OK;
}

struct status
store_consumer_move(struct pg_tx *tx, const struct store_consumer *consumer)
{
    int64_t lanes[GROUP_LANES];
    uint64_t touched = 0;

    for (size_t i = 0; i < GROUP_LANES; i++)
        lanes[i] = (int64_t)consumer->acked[i];
    TRY(pg_execute(tx, &SQL_CONSUMER_MOVE,
                   PG_IN(pg_text(consumer->user_id), pg_text(consumer->name),
                         pg_i64(consumer->epoch), pg_i64s(lanes, GROUP_LANES),
                         pg_i64(consumer->members)),
                   &touched));
    if (!touched)
        return FAIL(tx->arena, NOT_FOUND, "the consumer is not this opening's any more");
    return OK;
}

struct status
store_consumer_forget(struct pg_tx *tx, const char *user_id, const char *name)
{
    uint64_t touched = 0;

    TRY(pg_execute(tx, &SQL_CONSUMER_FORGET, PG_IN(pg_text(user_id), pg_text(name)), &touched));
    if (!touched)
        return FAIL(tx->arena, NOT_FOUND, "no such consumer");
    return OK;
}
