#include "services/matching/assignment/store_erase.h"

#include <string.h>

#include "common/wire/message.h"
#include "services/matching/assignment/assignment_sql.h"

struct status
store_erase_find(struct pg_tx *tx, struct arena *arena, const char *person_id,
                 const char ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **rounds;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_ERASE_FIND, PG_IN(pg_text(person_id)), &rows));
    TRY(need(rounds = ARENA_ARRAY(arena, const char *, rows.count + 1)));
    while (count < rows.count && pg_next_row(&rows, arena, PG_OUT(pg_to_text(&rounds[count]))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = rounds;
    *ret_count = count;
    return OK;
}

struct status
store_erase_supervisor(struct pg_tx *tx, const char *round_id, const char *person_id)
{
    return pg_query(tx, &SQL_ERASE_SUPERVISOR, PG_IN(pg_text(round_id), pg_text(person_id)),
                    NULL);
}

/* A stored sheet names students in its list of blocking pairs. */
static struct status
mark_sheet(struct pg_tx *tx, struct arena *arena, const char *round_id, uint32_t run,
           struct bytes packed, const char *code, const char *marker)
{
    ProtobufCMessage *message;
    Matching__V1__Sheet *sheet;
    bool named = false;

    TRY(wire_unpack(&matching__v1__sheet__descriptor, packed, arena, &message));
    sheet = (Matching__V1__Sheet *)message;
    for (size_t i = 0; i < sheet->n_blocking; i++)
        if (strcmp(sheet->blocking[i]->student, code) == 0) {
            sheet->blocking[i]->student = marker;
            named = true;
        }
    if (!named)
        return OK;
    TRY(wire_pack(&sheet->base, arena, &packed));
    return pg_query(tx, &SQL_ERASE_SHEET,
                    PG_IN(pg_text(round_id), pg_i64(run), pg_bytes(packed.data, packed.size)),
                    NULL);
}

static struct status
mark_sheets(struct pg_tx *tx, struct arena *arena, const char *round_id, const char *code,
            const char *marker)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct bytes packed;
    uint32_t run;

    TRY(pg_query(tx, &SQL_ERASE_SHEETS, PG_IN(pg_text(round_id)), &rows));
    while (pg_next_row(&rows, arena,
                       PG_OUT(pg_to_u32(&run), pg_to_bytes(&packed.data, &packed.size))))
        TRY(mark_sheet(tx, arena, round_id, run, packed, code, marker));
    return pg_rows_status(&rows);
}

struct status
store_erase_student(struct pg_tx *tx, struct arena *arena, const char *round_id,
                    const char *code, const char *marker, bool ended)
{
    const struct pg_args ids = PG_IN(pg_text(round_id), pg_text(code), pg_text(marker));

    TRY(mark_sheets(tx, arena, round_id, code, marker));
    TRY(pg_query(tx, &SQL_ERASE_RESULTS, ids, NULL));
    TRY(pg_query(tx, &SQL_ERASE_ROUND, PG_IN(pg_text(round_id), pg_text(code)), NULL));
    if (ended)
        return pg_query(tx, &SQL_ERASE_MARKED, ids, NULL);
    return pg_query(tx, &SQL_ERASE_GONE, PG_IN(pg_text(round_id), pg_text(code)), NULL);
}
