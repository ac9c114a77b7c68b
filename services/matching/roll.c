#include "services/matching/roll.h"

#include "services/matching/matching_sql.h"

struct status
roll_put(struct pg_tx *tx, enum roll_kind kind)
{
    return pg_query(tx, &SQL_ROLL_PUT, PG_IN(pg_i64(kind)), NULL);
}

struct status
roll_hold(struct pg_tx *tx, enum roll_kind kind)
{
    return pg_query(tx, &SQL_ROLL_HOLD, PG_IN(pg_i64(kind)), NULL);
}

struct status
roll_list(struct pg_tx *tx, enum roll_kind kind, const char *after, struct arena *arena,
          const char ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **ids;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_ROLL_LIST, PG_IN(pg_i64(kind), pg_text(after), pg_i64(ROLL_PAGE)),
                 &rows));
    TRY(need(ids = ARENA_ARRAY(arena, const char *, rows.count + 1)));
    while (count < rows.count && pg_next_row(&rows, arena, PG_OUT(pg_to_text(&ids[count]))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = ids;
    *ret_count = count;
    return OK;
}
