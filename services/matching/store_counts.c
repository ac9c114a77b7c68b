/* What shards tell each other: see store.h. */

#include "services/matching/matching_sql.h"
#include "services/matching/store.h"

struct status
store_counts_put(struct pg_tx *tx, struct shard shard, uint64_t position, struct bytes packed,
                 bool again)
{
    return pg_query(tx, &SQL_COUNTS_PUT,
                    PG_IN(pg_i64(shard.count), pg_i64(shard.number), pg_i64((int64_t)position),
                          pg_bytes(packed.data, packed.size), pg_bool(again)),
                    NULL);
}

struct status
store_counts(struct pg_tx *tx, struct arena *arena, struct shard shard, bool whole,
             struct shard_counts ret[SHARDS_MAX], size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    size_t count = 0;

    TRY(pg_query(tx, whole ? &SQL_COUNTS_LIST : &SQL_COUNTS_VERSIONS,
                 PG_IN(pg_i64(shard.count), pg_i64(shard.number)), &rows));
    while (count < rows.count && count < SHARDS_MAX) {
        struct shard_counts *row = &ret[count];
        bool more;

        *row = (struct shard_counts){0};
        if (whole)
            more = pg_next_row(&rows, arena,
                               PG_OUT(pg_to_u32(&row->shard), pg_to_u64(&row->version),
                                      pg_to_bytes(&row->packed.data, &row->packed.size)));
        else
            more = pg_next_row(&rows, arena,
                               PG_OUT(pg_to_u32(&row->shard), pg_to_u64(&row->version)));
        if (!more)
            break;
        count++;
    }
    TRY(pg_rows_status(&rows));
    *ret_count = count;
    return OK;
}
