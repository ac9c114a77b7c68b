#include "services/events/store_census.h"

#include <string.h>

#include "services/events/events_sql.h"

/* The rows as columns. */
struct columns {
    const char **user_ids, **consumers, **types;
    int64_t *positions, *sent, *rates, *blocked, *since;
};

static struct status
join_types(struct arena *arena, const struct store_census_row *row, const char **ret)
{
    const char *joined = "";

    for (size_t i = 0; i < row->type_count; i++)
        TRY(need(joined = arena_printf(arena, "%s%s%s", joined, i ? "," : "", row->types[i])));
    *ret = joined;
    return OK;
}

static struct status
make_columns(struct arena *arena, const struct store_census_row *rows, size_t count,
             struct columns *ret)
{
    TRY(need(ret->user_ids = ARENA_ARRAY(arena, const char *, count)));
    TRY(need(ret->consumers = ARENA_ARRAY(arena, const char *, count)));
    TRY(need(ret->types = ARENA_ARRAY(arena, const char *, count)));
    TRY(need(ret->positions = ARENA_ARRAY(arena, int64_t, count)));
    TRY(need(ret->sent = ARENA_ARRAY(arena, int64_t, count)));
    TRY(need(ret->rates = ARENA_ARRAY(arena, int64_t, count)));
    TRY(need(ret->blocked = ARENA_ARRAY(arena, int64_t, count)));
    TRY(need(ret->since = ARENA_ARRAY(arena, int64_t, count)));
    for (size_t i = 0; i < count; i++) {
        ret->user_ids[i] = rows[i].user_id;
        ret->consumers[i] = rows[i].consumer;
        TRY(join_types(arena, &rows[i], &ret->types[i]));
        ret->positions[i] = (int64_t)rows[i].position;
        ret->sent[i] = (int64_t)rows[i].events_sent;
        ret->rates[i] = (int64_t)rows[i].events_per_second;
        ret->blocked[i] = rows[i].blocked;
        ret->since[i] = (int64_t)rows[i].since_unix_ms;
    }
    return OK;
}

struct status
store_census_put(struct pg_tx *tx, const char *instance, const struct store_census_row *rows,
                 size_t count)
{
    struct columns columns;

    TRY(pg_defer(tx, &SQL_CENSUS_DROP, PG_IN(pg_text(instance))));
    if (!count)
        return OK;
    TRY(make_columns(tx->arena, rows, count, &columns));
    return pg_defer(tx, &SQL_CENSUS_PUT,
                    PG_IN(pg_text(instance), pg_texts(columns.user_ids, count),
                          pg_texts(columns.consumers, count), pg_i64s(columns.positions, count),
                          pg_i64s(columns.sent, count), pg_i64s(columns.rates, count),
                          pg_i64s(columns.blocked, count), pg_i64s(columns.since, count),
                          pg_texts(columns.types, count)));
}

struct status
store_census_list(struct pg_tx *tx, const char *tenant_id, const char *user_id,
                  struct store_census_row **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct store_census_row row = {0}, *list;
    const char **types = NULL;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_CENSUS_LIST, PG_IN(pg_text(tenant_id), pg_text(user_id)), &rows));
    TRY(need(list = ARENA_ARRAY(tx->arena, struct store_census_row, rows.count + 1)));
    while (pg_next_row(
        &rows, tx->arena,
        PG_OUT(pg_to_text(&row.instance), pg_to_text(&row.user_id), pg_to_text(&row.consumer),
               pg_to_u32(&row.members), pg_to_u64(&row.position), pg_to_u64(&row.events_sent),
               pg_to_u64(&row.events_per_second), pg_to_bool(&row.blocked),
               pg_to_u64(&row.since_unix_ms), pg_to_texts(&types, &row.type_count)))) {
        row.types = types;
        list[count++] = row;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_log_rate(struct pg_tx *tx, uint32_t *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_LOG_RATE, PG_NONE, &rows));
    return pg_one_row(&rows, tx->arena, PG_OUT(pg_to_u32(ret)));
}

struct status
store_system_of_tenant(struct pg_tx *tx, const char *tenant_id, const char *user_id, bool *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_SYSTEM_OF_TENANT, PG_IN(pg_text(tenant_id), pg_text(user_id)),
                 &rows));
    return pg_one_row(&rows, tx->arena, PG_OUT(pg_to_bool(ret)));
}
