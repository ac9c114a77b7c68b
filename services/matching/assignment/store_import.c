/* Whole tables into a round's rows: see store.h. */

#include "services/matching/assignment/store.h"

#include <string.h>

#include "services/matching/assignment/assignment_sql.h"

/* Columns for unnest. */
#define TEXT_COLUMNS 5
#define NUMBER_COLUMNS 3

struct columns {
    const char **text[TEXT_COLUMNS];
    int64_t *number[NUMBER_COLUMNS];
};

static struct status
make_columns(struct arena *arena, size_t count, struct columns *ret)
{
    for (size_t i = 0; i < TEXT_COLUMNS; i++)
        TRY(need(ret->text[i] = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t i = 0; i < NUMBER_COLUMNS; i++)
        TRY(need(ret->number[i] = ARENA_ARRAY(arena, int64_t, count + 1)));
    return OK;
}

static struct status
put_limits(struct pg_tx *tx, const char *round_id, const struct cohort *rows,
           const struct columns *into)
{
    const size_t count = rows->limit_count;

    for (size_t i = 0; i < count; i++) {
        const struct cohort_limit *row = &rows->limits[i];

        into->text[0][i] = row->code;
        into->number[0][i] = row->kind;
        into->text[1][i] = row->title;
        into->text[2][i] = row->parent;
        into->number[1][i] = row->capacity;
        into->text[3][i] = row->person_id;
    }
    return pg_query(tx, &SQL_PUT_LIMITS,
                    PG_IN(pg_text(round_id), pg_texts(into->text[0], count),
                          pg_i64s(into->number[0], count), pg_texts(into->text[1], count),
                          pg_texts(into->text[2], count), pg_i64s(into->number[1], count),
                          pg_texts(into->text[3], count)),
                    NULL);
}

static struct status
put_topics(struct pg_tx *tx, const char *round_id, const struct cohort *rows,
           const struct columns *into)
{
    const size_t count = rows->topic_count;

    for (size_t i = 0; i < count; i++) {
        const struct cohort_topic *row = &rows->topics[i];

        into->text[0][i] = row->code;
        into->text[1][i] = row->title;
        into->text[2][i] = row->owner;
        into->number[0][i] = row->capacity;
        into->number[1][i] = row->least;
        into->number[2][i] = row->optional;
    }
    return pg_query(tx, &SQL_PUT_TOPICS,
                    PG_IN(pg_text(round_id), pg_texts(into->text[0], count),
                          pg_texts(into->text[1], count), pg_texts(into->text[2], count),
                          pg_i64s(into->number[0], count), pg_i64s(into->number[1], count),
                          pg_i64s(into->number[2], count)),
                    NULL);
}

/* Students, or their choices. */
static struct status
put_students(struct pg_tx *tx, const char *round_id, const struct cohort *rows,
             const struct columns *into, bool choices)
{
    const size_t count = rows->student_count;

    for (size_t i = 0; i < count; i++) {
        const struct cohort_student *row = &rows->students[i];

        into->text[0][i] = row->code;
        into->text[1][i] = choices ? row->choices : row->person_id;
        into->text[2][i] = row->partner;
    }
    if (!choices)
        return pg_query(tx, &SQL_PUT_STUDENTS,
                        PG_IN(pg_text(round_id), pg_texts(into->text[0], count),
                              pg_texts(into->text[1], count)),
                        NULL);
    return pg_query(tx, &SQL_PUT_CHOICES,
                    PG_IN(pg_text(round_id), pg_texts(into->text[0], count),
                          pg_texts(into->text[1], count), pg_texts(into->text[2], count)),
                    NULL);
}

/* An owner's ranking replaces the one before. */
static struct status
put_rankings(struct pg_tx *tx, const char *round_id, const struct cohort *rows,
             const struct columns *into)
{
    const size_t count = rows->ranking_count;

    for (size_t i = 0; i < count; i++) {
        into->text[0][i] = rows->rankings[i].owner;
        into->text[1][i] = rows->rankings[i].student;
        into->number[0][i] = rows->rankings[i].rank;
    }
    TRY(pg_query(tx, &SQL_DROP_RANKINGS,
                 PG_IN(pg_text(round_id), pg_texts(into->text[0], count)), NULL));
    return pg_query(tx, &SQL_PUT_RANKINGS,
                    PG_IN(pg_text(round_id), pg_texts(into->text[0], count),
                          pg_texts(into->text[1], count), pg_i64s(into->number[0], count)),
                    NULL);
}

struct status
store_import(struct pg_tx *tx, struct arena *arena, const char *round_id, enum import_part part,
             const struct cohort *rows)
{
    struct columns columns;

    TRY(make_columns(arena,
                     rows->limit_count + rows->topic_count + rows->student_count +
                         rows->ranking_count,
                     &columns));
    switch (part) {
    case IMPORT_LIMITS:
        return put_limits(tx, round_id, rows, &columns);
    case IMPORT_TOPICS:
        return put_topics(tx, round_id, rows, &columns);
    case IMPORT_STUDENTS:
    case IMPORT_CHOICES:
        return put_students(tx, round_id, rows, &columns, part == IMPORT_CHOICES);
    case IMPORT_RANKINGS:
        break;
    }
    return put_rankings(tx, round_id, rows, &columns);
}

struct status
store_drop_ranking(struct pg_tx *tx, const char *round_id, const char *owner)
{
    return pg_query(tx, &SQL_DROP_RANKINGS, PG_IN(pg_text(round_id), pg_texts(&owner, 1)),
                    NULL);
}
