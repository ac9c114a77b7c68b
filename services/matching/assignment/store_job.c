#include "services/matching/assignment/store_job.h"

#include "common/wire/message.h"
#include "services/matching/assignment/assignment_sql.h"
#include "services/matching/roll.h"

struct status
store_roll_tie(struct pg_tx *tx)
{
    TRY(roll_hold(tx, ROLL_ROUNDS));
    return pg_query(tx, &SQL_ROLL_TIE, PG_NONE, NULL);
}

struct status
store_take(struct pg_tx *tx, struct arena *arena, uint32_t lease_ms, struct store_request *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct store_request request = {0};
    uint32_t resume = 0;

    TRY(pg_query(tx, &SQL_TAKE, PG_IN(pg_i64(lease_ms)), &rows));
    (void)pg_next_row(&rows, arena,
                      PG_OUT(pg_to_text(&request.round_id), pg_to_u32(&request.attempt),
                             pg_to_u32(&resume))); /* none: nothing is due */
    TRY(pg_rows_status(&rows));
    request.resume = (Matching__V1__RoundState)resume;
    *ret = request;
    return OK;
}

static struct status
put_places(struct pg_tx *tx, struct arena *arena, const char *round_id,
           const struct place_row *places, size_t count)
{
    const char **texts[3];
    int64_t *numbers[2];

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        TRY(need(texts[i] = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        TRY(need(numbers[i] = ARENA_ARRAY(arena, int64_t, count + 1)));
    for (size_t i = 0; i < count; i++) {
        texts[0][i] = places[i].student;
        texts[1][i] = places[i].topic;
        texts[2][i] = places[i].barriers;
        numbers[0][i] = places[i].choice;
        numbers[1][i] = places[i].basis;
    }
    TRY(pg_query(tx, &SQL_DROP_PLACES, PG_IN(pg_text(round_id)), NULL));
    return pg_query(tx, &SQL_PUT_PLACES,
                    PG_IN(pg_text(round_id), pg_texts(texts[0], count),
                          pg_texts(texts[1], count), pg_i64s(numbers[0], count),
                          pg_i64s(numbers[1], count), pg_texts(texts[2], count)),
                    NULL);
}

struct status
store_solved(struct pg_tx *tx, struct arena *arena, const struct store_request *request,
             Matching__V1__RoundState state, const Matching__V1__Sheet *sheet,
             const struct place_row *places, size_t place_count, bool *ret_stood)
{
    struct bytes packed;
    uint64_t touched;

    TRY(wire_pack(&sheet->base, arena, &packed));
    TRY(pg_execute(tx, &SQL_SOLVED,
                   PG_IN(pg_text(request->round_id), pg_i64(request->attempt), pg_i64(state),
                         pg_text(sheet->input_hash)),
                   &touched));
    *ret_stood = touched > 0;
    if (touched == 0)
        return OK;
    TRY(pg_query(tx, &SQL_RUN_INSERT,
                 PG_IN(pg_text(request->round_id), pg_bytes(packed.data, packed.size)), NULL));
    return put_places(tx, arena, request->round_id, places, place_count);
}

struct status
store_failed(struct pg_tx *tx, const struct store_request *request, const char *why)
{
    return pg_query(tx, &SQL_FAILED,
                    PG_IN(pg_text(request->round_id), pg_i64(request->attempt), pg_text(why)),
                    NULL);
}

struct status
store_sheet(struct pg_tx *tx, struct arena *arena, const char *round_id, uint32_t run,
            Matching__V1__Sheet **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    ProtobufCMessage *message;
    Matching__V1__Sheet *sheet;
    struct bytes packed;
    uint64_t solved;
    uint32_t number;

    TRY(pg_query(tx, &SQL_RUN_GET, PG_IN(pg_text(round_id), pg_i64(run)), &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_u32(&number), pg_to_bytes(&packed.data, &packed.size),
                            pg_to_u64(&solved)))) {
        TRY(pg_rows_status(&rows));
        return FAIL(arena, NOT_FOUND, "the round has no such solving");
    }
    TRY(wire_unpack(&matching__v1__sheet__descriptor, packed, arena, &message));
    sheet = (Matching__V1__Sheet *)message;
    sheet->run = number;
    sheet->solved_unix_ms = solved;
    *ret = sheet;
    return OK;
}

static bool
next_place(struct pg_rows *rows, struct arena *arena, struct stored_place *ret)
{
    Matching__V1__Assignment *a = &ret->assignment;
    uint32_t basis;

    matching__v1__assignment__init(a);
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&a->student), pg_to_text(&a->topic),
                            pg_to_text(&a->topic_title), pg_to_u32(&a->choice),
                            pg_to_u32(&basis), pg_to_text(&ret->barriers),
                            pg_to_u32(&a->amendment), pg_to_text(&a->solved_topic))))
        return false;
    a->basis = (Matching__V1__PlaceBasis)basis;
    return true;
}

struct status
store_place_page(struct pg_tx *tx, struct arena *arena, const char *round_id,
                 const char *after_student, uint32_t limit, struct stored_place **ret,
                 size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct stored_place *list;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_PLACES,
                 PG_IN(pg_text(round_id), pg_text(after_student), pg_i64(limit)), &rows));
    TRY(need(list = ARENA_ARRAY(arena, struct stored_place, rows.count + 1)));
    while (count < rows.count && next_place(&rows, arena, &list[count]))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_place(struct pg_tx *tx, struct arena *arena, const char *round_id, const char *student,
            struct stored_place *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_PLACE, PG_IN(pg_text(round_id), pg_text(student)), &rows));
    if (next_place(&rows, arena, ret))
        return OK;
    TRY(pg_rows_status(&rows));
    return FAIL(arena, NOT_FOUND, "there is no assignment of this student");
}
