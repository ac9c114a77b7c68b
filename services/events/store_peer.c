#include "services/events/store_peer.h"

#include <inttypes.h>
#include <string.h>

#include "services/events/events_sql.h"

struct status
store_peer_begin(struct pg_tx *tx, const char *name, const char *source, uint64_t *ret_position)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char *known_name, *known_source;
    uint64_t position;

    TRY(pg_execute(tx, &SQL_PEER_BEGIN, PG_IN(pg_text(name), pg_text(source)), NULL));
    TRY(pg_query(tx, &SQL_PEER, PG_IN(pg_text(name), pg_text(source)), &rows));
    while (pg_next_row(
        &rows, tx->arena,
        PG_OUT(pg_to_text(&known_name), pg_to_text(&known_source), pg_to_u64(&position)))) {
        if (strcmp(known_name, name) != 0)
            return FAIL(tx->arena, FAILED_PRECONDITION, "%s has been known as %s", source,
                        known_name);
        if (strcmp(known_source, source) != 0)
            return FAIL(tx->arena, FAILED_PRECONDITION, "%s has been the name of %s", name,
                        known_source);
        *ret_position = position;
    }
    return pg_rows_status(&rows);
}

struct status
store_peer_move(struct pg_tx *tx, const struct store_peer_move *move)
{
    uint64_t touched = 0;

    TRY(pg_execute(
        tx, &SQL_PEER_MOVE,
        PG_IN(pg_text(move->source), pg_i64((int64_t)move->from), pg_i64((int64_t)move->to)),
        &touched));
    if (touched != 1)
        return FAIL(tx->arena, ABORTED, "the log of %s has been taken in past %" PRIu64,
                    move->source, move->from);
    return OK;
}
