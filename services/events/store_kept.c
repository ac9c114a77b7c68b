#include "services/events/store_kept.h"

#include <inttypes.h>
#include <string.h>

#include "services/events/events_sql.h"

struct status
store_roll_due(struct pg_tx *tx, const struct store_roll_limits *limits, uint64_t *ret_head,
               bool *ret_due)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_ROLL_DUE,
                 PG_IN(pg_i64(limits->days), pg_i64(limits->events), pg_i64(limits->row_bytes)),
                 &rows));
    return pg_one_row(&rows, tx->arena, PG_OUT(pg_to_u64(ret_head), pg_to_bool(ret_due)));
}

struct status
store_roll(struct pg_tx *tx, uint64_t head, uint64_t *ret_start)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    /* First the marks: the log is locked for as short as can be, and if they were not those of
     * this head, rolling fails and takes them back. */
    TRY(pg_query(tx, &SQL_CHAIN_MARK_ADD, PG_IN(pg_i64((int64_t)head + 1)), NULL));
    TRY(pg_query(tx, &SQL_ROLL, PG_IN(pg_i64((int64_t)head)), &rows));
    return pg_one_row(&rows, tx->arena, PG_OUT(pg_to_u64(ret_start)));
}

static struct status
refuse_young(struct pg_tx *tx, uint32_t keep_days, uint64_t first_kept, int64_t old_through)
{
    if ((uint64_t)old_through <= first_kept)
        return FAIL(tx->arena, FAILED_PRECONDITION,
                    "the oldest events are younger than keep_days (%u days)", keep_days);
    return FAIL(tx->arena, FAILED_PRECONDITION,
                "events after %" PRId64 " are younger than keep_days (%u days)", old_through,
                keep_days);
}

struct status
store_trim(struct pg_tx *tx, uint64_t through, uint32_t keep_days, uint64_t *ret_first_kept)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint64_t first_kept;
    int64_t old_through; /* -1: nothing young was in the way */

    TRY(pg_query(tx, &SQL_TRIM, PG_IN(pg_i64((int64_t)through), pg_i64(keep_days)), &rows));
    TRY(pg_one_row(&rows, tx->arena, PG_OUT(pg_to_u64(&first_kept), pg_to_i64(&old_through))));
    if (old_through >= 0)
        return refuse_young(tx, keep_days, first_kept, old_through);
    TRY(pg_query(tx, &SQL_CHAIN_MARK_DROP, PG_IN(pg_i64((int64_t)first_kept)), NULL));
    *ret_first_kept = first_kept;
    return OK;
}

struct status
store_kept(struct pg_tx *tx, uint64_t *ret_partitions, uint64_t *ret_first_kept)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_KEPT, PG_NONE, &rows));
    return pg_one_row(&rows, tx->arena,
                      PG_OUT(pg_to_u64(ret_partitions), pg_to_u64(ret_first_kept)));
}

static struct status
set_link(struct pg_tx *tx, struct bytes from, struct store_link *link)
{
    if (from.size != sizeof link->link)
        return FAIL(tx->arena, INTERNAL, "a link of %zu bytes", from.size);
    memcpy(link->link, from.data, sizeof link->link);
    return OK;
}

static struct status
add_chain(struct pg_tx *tx, struct store_chains *chains, struct store_chain *chain,
          struct bytes first, struct bytes last)
{
    if (!chain->tenant_id[0]) /* the one row of a head without chains */
        return OK;
    if (chain->first.number)
        TRY(set_link(tx, first, &chain->first));
    else
        packed_chain_start(chain->tenant_id, chain->first.link);
    TRY(set_link(tx, last, &chain->last));
    chains->items[chains->count++] = *chain;
    return OK;
}

struct status
store_chains(struct pg_tx *tx, const struct texts *tenant_ids, const char *after, size_t limit,
             struct store_chains *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct store_chains chains = {0};
    struct store_chain chain;
    struct bytes first, last;

    TRY(pg_query(
        tx, &SQL_CHAINS,
        PG_IN(tenant_ids ? pg_texts(tenant_ids->items, tenant_ids->count) : pg_text(NULL),
              pg_text_or_null(after), pg_i64((int64_t)limit)),
        &rows));
    TRY(need(chains.items = ARENA_ARRAY(tx->arena, struct store_chain, rows.count + 1)));
    while (
        pg_next_row(&rows, tx->arena,
                    PG_OUT(pg_to_u64(&chains.head), pg_to_u64(&chains.first_kept),
                           pg_to_text(&chain.tenant_id), pg_to_u64(&chain.first.number),
                           pg_to_bytes(&first.data, &first.size), pg_to_u64(&chain.last.number),
                           pg_to_bytes(&last.data, &last.size))))
        TRY(add_chain(tx, &chains, &chain, first, last));
    TRY(pg_rows_status(&rows));
    *ret = chains;
    return OK;
}

static bool
next_raw(struct pg_rows *rows, struct arena *arena, struct store_raw *ret)
{
    const char **tenant_ids = NULL, **types = NULL;

    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_u64(&ret->position), pg_to_u64(&ret->last),
                            pg_to_u32(&ret->count),
                            pg_to_texts(&tenant_ids, &ret->tenant_ids.count),
                            pg_to_texts(&types, &ret->types.count),
                            pg_to_bytes(&ret->data.data, &ret->data.size),
                            pg_to_bytes(&ret->checksum.data, &ret->checksum.size))))
        return false;
    ret->tenant_ids.items = tenant_ids;
    ret->types.items = types;
    return true;
}

struct status
store_raw_page(struct pg_tx *tx, uint64_t after, size_t limit, struct store_raw **ret,
               size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct store_raw *page;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_VERIFY_PAGE, PG_IN(pg_i64((int64_t)after), pg_i64((int64_t)limit)),
                 &rows));
    TRY(need(page = ARENA_ARRAY(tx->arena, struct store_raw, rows.count + 1)));
    while (count < rows.count && next_raw(&rows, tx->arena, &page[count]))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = page;
    *ret_count = count;
    return OK;
}

struct status
store_raw_next(struct pg_tx *tx, uint64_t position, uint64_t *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_VERIFY_NEXT, PG_IN(pg_i64((int64_t)position)), &rows));
    return pg_one_row(&rows, tx->arena, PG_OUT(pg_to_u64(ret)));
}

struct status
store_missing(struct pg_tx *tx, uint64_t after, uint64_t *ret_first_kept)
{
    uint64_t head, first_kept;

    TRY(store_head(tx, &head, &first_kept));
    if (after >= first_kept)
        return FAIL(tx->arena, INTERNAL, "the log has a gap behind %" PRIu64, after);
    *ret_first_kept = first_kept;
    return FAIL(tx->arena, POSITION_GONE,
                "events after %" PRIu64
                " are no longer kept; the first kept are after %" PRIu64,
                after, first_kept);
}

struct status
store_expire_appends(struct pg_tx *tx, size_t limit, uint64_t *ret_expired)
{
    return pg_execute(tx, &SQL_APPEND_EXPIRE, PG_IN(pg_i64((int64_t)limit)), ret_expired);
}
