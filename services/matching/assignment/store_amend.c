#include "services/matching/assignment/store_amend.h"

#include "services/matching/assignment/assignment_sql.h"

struct status
store_audience(struct pg_tx *tx, struct arena *arena, const char *round_id,
               const struct news_circle *circle, const char ***ret, size_t *ret_count)
{
    static const struct news_circle all = {0};
    const struct news_circle *some = circle ? circle : &all;
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **accounts;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_AUDIENCE,
                 PG_IN(pg_text(round_id), pg_bool(!circle),
                       pg_texts(some->students, some->student_count),
                       pg_texts(some->limits, some->limit_count)),
                 &rows));
    TRY(need(accounts = ARENA_ARRAY(arena, const char *, rows.count + 1)));
    while (count < rows.count &&
           pg_next_row(&rows, arena, PG_OUT(pg_to_text(&accounts[count]))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = accounts;
    *ret_count = count;
    return OK;
}

struct status
store_amend(struct pg_tx *tx, struct arena *arena, Matching__V1__Round *round, uint32_t choice,
            Matching__V1__Amendment *amendment)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_AMENDED_VERSION,
                   PG_IN(pg_text(round->round_id), pg_i64((int64_t)round->version)), &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the round has changed since version %llu",
                    (unsigned long long)round->version);
    TRY(pg_query(tx, &SQL_AMEND,
                 PG_IN(pg_text(round->round_id), pg_text(amendment->student),
                       pg_text(amendment->from), pg_text(amendment->to), pg_i64(choice),
                       pg_text(amendment->reason), pg_text(amendment->amended_by)),
                 &rows));
    TRY(pg_one_row(
        &rows, arena,
        PG_OUT(pg_to_u32(&amendment->number), pg_to_u64(&amendment->amended_unix_ms))));
    round->version++;
    return OK;
}

struct status
store_amendments(struct pg_tx *tx, struct arena *arena, const char *round_id, uint32_t after,
                 uint32_t limit, Matching__V1__Amendment ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__Amendment **list;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_AMENDMENTS, PG_IN(pg_text(round_id), pg_i64(after), pg_i64(limit)),
                 &rows));
    TRY(need(list = ARENA_ARRAY(arena, Matching__V1__Amendment *, rows.count + 1)));
    for (; count < rows.count; count++) {
        Matching__V1__Amendment *row = ARENA_NEW(arena, Matching__V1__Amendment);

        TRY(need(row));
        matching__v1__amendment__init(row);
        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_u32(&row->number), pg_to_text(&row->student),
                                pg_to_text(&row->from), pg_to_text(&row->to),
                                pg_to_text(&row->reason), pg_to_text(&row->amended_by),
                                pg_to_u64(&row->amended_unix_ms))))
            break;
        list[count] = row;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_amendment_count(struct pg_tx *tx, struct arena *arena, const char *round_id,
                      uint32_t *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_AMENDMENT_COUNT, PG_IN(pg_text(round_id)), &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_u32(ret)));
}
