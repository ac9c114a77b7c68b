#include "services/matching/assignment/store.h"

#include "services/matching/assignment/assignment.h"
#include "services/matching/assignment/assignment_sql.h"

const struct pg_statement *const *const rounds_statements = SQL_STATEMENTS;

struct status
store_round_insert(struct pg_tx *tx, const Matching__V1__Round *round)
{
    return pg_query(tx, &SQL_ROUND_INSERT,
                    PG_IN(pg_text(round->round_id), pg_text(round->title),
                          pg_i64(round->objective), pg_i64((int64_t)round->seed),
                          pg_i64(round->choices_max), pg_bool(round->fill),
                          pg_i64(round->objection_days)),
                    NULL);
}

/* NULL after the last. */
static struct status
next_round(struct pg_rows *rows, struct arena *arena, Matching__V1__Round **ret)
{
    Matching__V1__Round *round = ARENA_NEW(arena, Matching__V1__Round);
    uint32_t state, objective;
    bool fill = false;
    int64_t seed;

    TRY(need(round));
    matching__v1__round__init(round);
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&round->round_id), pg_to_u64(&round->version),
                            pg_to_text(&round->title), pg_to_u32(&state), pg_to_u32(&objective),
                            pg_to_i64(&seed), pg_to_u32(&round->choices_max), pg_to_bool(&fill),
                            pg_to_u32(&round->objection_days),
                            pg_to_u64(&round->objections_until_unix_ms), pg_to_u32(&round->run),
                            pg_to_text(&round->input_hash), pg_to_text(&round->failure),
                            pg_to_u64(&round->created_unix_ms),
                            pg_to_u32(&round->student_count), pg_to_u32(&round->topic_count),
                            pg_to_u32(&round->voter_count)))) {
        *ret = NULL;
        return pg_rows_status(rows);
    }
    round->state = (Matching__V1__RoundState)state;
    round->objective = (Matching__V1__RoundObjective)objective;
    round->seed = (uint64_t)seed;
    round->fill = fill;
    *ret = round;
    return OK;
}

struct status
store_round_get(struct pg_tx *tx, struct arena *arena, const char *round_id,
                enum store_hold hold, Matching__V1__Round **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__Round *round;

    if (hold != STORE_LOOK)
        TRY(pg_query(tx, hold == STORE_LOCK ? &SQL_ROUND_LOCK : &SQL_ROUND_SHARE,
                     PG_IN(pg_text(round_id)), NULL));
    TRY(pg_query(tx, &SQL_ROUND_GET, PG_IN(pg_text(round_id)), &rows));
    TRY(next_round(&rows, arena, &round));
    if (!round)
        return FAIL(arena, NOT_FOUND, "there is no round %s", round_id);
    *ret = round;
    return OK;
}

struct status
store_round_list(struct pg_tx *tx, struct arena *arena, const char *after_id, uint32_t limit,
                 Matching__V1__Round ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__Round **list;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_ROUND_LIST, PG_IN(pg_text_or_null(after_id), pg_i64(limit)), &rows));
    TRY(need(list = ARENA_ARRAY(arena, Matching__V1__Round *, rows.count + 1)));
    do
        TRY(next_round(&rows, arena, &list[count]));
    while (list[count] && ++count < rows.count);
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_round_step(struct pg_tx *tx, struct arena *arena, Matching__V1__Round *round,
                 uint64_t expected_version, Matching__V1__RoundState state, uint32_t days)
{
    const bool requested = state == MATCHING__V1__ROUND_STATE__SOLVE_REQUESTED;
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_ROUND_STEP,
                   PG_IN(pg_text(round->round_id), pg_i64((int64_t)expected_version),
                         pg_i64(state), pg_i64(requested ? round->state : 0), pg_i64(days)),
                   &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the round has changed since version %llu",
                    (unsigned long long)expected_version);
    round->state = state;
    round->version = expected_version + 1;
    if (requested)
        round->failure = "";
    return OK;
}

struct status
store_cohort_units(struct pg_tx *tx, struct arena *arena, const char *round_id,
                   struct cohort *ret)
{
    scoped(pg_rows_clear) struct pg_rows limits = {0};
    scoped(pg_rows_clear) struct pg_rows topics = {0};
    struct cohort cohort = {0};
    uint32_t kind;

    TRY(pg_query(tx, &SQL_LIMITS, PG_IN(pg_text(round_id)), &limits));
    TRY(need(cohort.limits = ARENA_ARRAY(arena, struct cohort_limit, limits.count + 1)));
    for (struct cohort_limit row = {0};
         cohort.limit_count < limits.count &&
         pg_next_row(&limits, arena,
                     PG_OUT(pg_to_text(&row.code), pg_to_u32(&kind), pg_to_text(&row.title),
                            pg_to_text(&row.parent), pg_to_u32(&row.capacity),
                            pg_to_text(&row.person_id)));) {
        row.kind = (enum cohort_kind)kind;
        cohort.limits[cohort.limit_count++] = row;
    }
    TRY(pg_rows_status(&limits));
    TRY(pg_query(tx, &SQL_TOPICS, PG_IN(pg_text(round_id)), &topics));
    TRY(need(cohort.topics = ARENA_ARRAY(arena, struct cohort_topic, topics.count + 1)));
    for (struct cohort_topic row = {0};
         cohort.topic_count < topics.count &&
         pg_next_row(&topics, arena,
                     PG_OUT(pg_to_text(&row.code), pg_to_text(&row.title),
                            pg_to_text(&row.owner), pg_to_u32(&row.capacity),
                            pg_to_u32(&row.least), pg_to_bool(&row.optional),
                            pg_to_u32(&row.state), pg_to_text(&row.reason)));)
        cohort.topics[cohort.topic_count++] = row;
    TRY(pg_rows_status(&topics));
    *ret = cohort;
    return OK;
}

static bool
next_student(struct pg_rows *rows, struct arena *arena, struct cohort_student *row)
{
    return pg_next_row(rows, arena,
                       PG_OUT(pg_to_text(&row->code), pg_to_text(&row->person_id),
                              pg_to_text(&row->choices), pg_to_text(&row->partner),
                              pg_to_text(&row->pinned), pg_to_text(&row->pin_reason)));
}

struct status
store_cohort(struct pg_tx *tx, struct arena *arena, const char *round_id, struct cohort *ret)
{
    scoped(pg_rows_clear) struct pg_rows students = {0};
    scoped(pg_rows_clear) struct pg_rows rankings = {0};
    struct cohort cohort;

    TRY(store_cohort_units(tx, arena, round_id, &cohort));
    TRY(pg_query(tx, &SQL_STUDENTS, PG_IN(pg_text(round_id)), &students));
    TRY(need(cohort.students = ARENA_ARRAY(arena, struct cohort_student, students.count + 1)));
    while (cohort.student_count < students.count &&
           next_student(&students, arena, &cohort.students[cohort.student_count]))
        cohort.student_count++;
    TRY(pg_rows_status(&students));
    TRY(pg_query(tx, &SQL_RANKINGS, PG_IN(pg_text(round_id)), &rankings));
    TRY(need(cohort.rankings = ARENA_ARRAY(arena, struct cohort_ranking, rankings.count + 1)));
    for (struct cohort_ranking row = {0};
         cohort.ranking_count < rankings.count &&
         pg_next_row(
             &rankings, arena,
             PG_OUT(pg_to_text(&row.owner), pg_to_text(&row.student), pg_to_u32(&row.rank)));)
        cohort.rankings[cohort.ranking_count++] = row;
    TRY(pg_rows_status(&rankings));
    *ret = cohort;
    return OK;
}

struct status
store_topic_page(struct pg_tx *tx, struct arena *arena, const char *round_id,
                 const char *after_code, uint32_t limit, Matching__V1__TopicState state,
                 Matching__V1__Topic ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__Topic **list;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_TOPIC_PAGE,
                 PG_IN(pg_text(round_id), pg_text(after_code), pg_i64(limit), pg_i64(state)),
                 &rows));
    TRY(need(list = ARENA_ARRAY(arena, Matching__V1__Topic *, rows.count + 1)));
    for (; count < rows.count; count++) {
        Matching__V1__Topic *topic = ARENA_NEW(arena, Matching__V1__Topic);
        bool optional = false;
        uint32_t number;

        TRY(need(topic));
        matching__v1__topic__init(topic);
        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_text(&topic->code), pg_to_text(&topic->title),
                                pg_to_text(&topic->owner), pg_to_u32(&topic->capacity),
                                pg_to_u32(&topic->least), pg_to_bool(&optional),
                                pg_to_u32(&number), pg_to_text(&topic->reason))))
            break;
        topic->optional = optional;
        topic->state = (Matching__V1__TopicState)number;
        list[count] = topic;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_check_topics(struct pg_tx *tx, const char *round_id, const char *const *codes,
                   size_t count, Matching__V1__TopicState state, const char *reason,
                   uint64_t *ret_changed)
{
    return pg_execute(
        tx, &SQL_CHECK_TOPICS,
        PG_IN(pg_text(round_id), pg_texts(codes, count), pg_i64(state), pg_text(reason)),
        ret_changed);
}

struct status
store_student(struct pg_tx *tx, struct arena *arena, const char *round_id, const char *code,
              const char *person_id, struct cohort_student *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct cohort_student row;

    TRY(pg_query(tx, &SQL_STUDENT,
                 PG_IN(pg_text(round_id), pg_text_or_null(code),
                       pg_text_or_null(*code ? "" : person_id)),
                 &rows));
    if (!next_student(&rows, arena, &row)) {
        TRY(pg_rows_status(&rows));
        return *code ? FAIL(arena, NOT_FOUND, "there is no student %s in the round", code)
                     : FAIL(arena, NOT_FOUND, "you are no student of the round");
    }
    *ret = row;
    return OK;
}

struct status
store_pin(struct pg_tx *tx, struct arena *arena, const char *round_id, const char *student,
          const char *topic, const char *reason, const char *by)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_PIN,
                   PG_IN(pg_text(round_id), pg_text(student), pg_text(topic), pg_text(reason),
                         pg_text(by)),
                   &touched));
    if (touched == 0)
        return FAIL(arena, NOT_FOUND, "there is no student %s in the round", student);
    return OK;
}

struct status
store_objection_insert(struct pg_tx *tx, const char *round_id,
                       const Matching__V1__Objection *objection)
{
    return pg_query(tx, &SQL_OBJECTION_INSERT,
                    PG_IN(pg_text(round_id), pg_text(objection->objection_id),
                          pg_text(objection->student), pg_text(objection->text)),
                    NULL);
}

struct status
store_objections(struct pg_tx *tx, struct arena *arena, const char *round_id,
                 const char *student, const char *id, Matching__V1__Objection ***ret,
                 size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__Objection **list;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_OBJECTIONS,
                 PG_IN(pg_text(round_id), pg_text(student), pg_text_or_null(id)), &rows));
    TRY(need(list = ARENA_ARRAY(arena, Matching__V1__Objection *, rows.count + 1)));
    for (; count < rows.count; count++) {
        Matching__V1__Objection *objection = ARENA_NEW(arena, Matching__V1__Objection);
        uint32_t state;

        TRY(need(objection));
        matching__v1__objection__init(objection);
        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_text(&objection->objection_id),
                                pg_to_text(&objection->student), pg_to_text(&objection->text),
                                pg_to_u32(&state), pg_to_text(&objection->answer),
                                pg_to_u64(&objection->raised_unix_ms))))
            break;
        objection->state = (Matching__V1__ObjectionState)state;
        list[count] = objection;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_objection_decide(struct pg_tx *tx, struct arena *arena, const char *round_id,
                       const Matching__V1__Objection *objection, const char *by)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_OBJECTION_DECIDE,
                   PG_IN(pg_text(round_id), pg_text(objection->objection_id),
                         pg_i64(objection->state), pg_text(objection->answer), pg_text(by)),
                   &touched));
    if (touched == 0)
        return FAIL(arena, FAILED_PRECONDITION, "the objection has been decided before");
    return OK;
}
