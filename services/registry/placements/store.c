#include "services/registry/placements/store.h"

#include "common/wire/message.h"
#include "services/registry/placements/placements.h"
#include "services/registry/placements/placements_sql.h"
#include "services/registry/values/columns.h"

const struct pg_statement *const *const placements_statements = SQL_STATEMENTS;

_Static_assert(sizeof(Registry__V1__FocusArea) == sizeof(int),
               "focus is kept as a list of int");

/* Runs insert.sql or update.sql, which share their parameters up to $28. */
static struct status
put(struct pg_tx *tx, struct arena *arena, const struct pg_statement *statement,
    uint64_t expected_version, const Registry__V1__Placement *p, bool insert,
    uint64_t *ret_touched)
{
    const Registry__V1__FundedPeriod *project = p->funded_project;
    struct text_columns texts;
    struct skill_columns skills;
    int64_t *focus;

    TRY(text_columns_make(arena, p->description, p->n_description, &texts));
    TRY(skill_columns_make(arena, p->skills, p->n_skills, &skills));
    TRY(enum_column_make(arena, (const int *)p->focus, p->n_focus, &focus));

    struct pg_args args = PG_IN(
        pg_text(tx->scope.tenant_id), pg_text(p->placement_id),
        pg_i64((int64_t)expected_version), pg_text(p->title),
        pg_text_or_null(p->host_organisation_id),
        pg_texts(p->hei_organisation_ids, p->n_hei_organisation_ids),
        pg_text_or_null(p->academic_coach_id), pg_text_or_null(p->business_coach_id),
        pg_text_or_null(p->process_manager_id), pg_i64s(focus, p->n_focus),
        pg_texts(p->unlisted_focus, p->n_unlisted_focus), pg_i64(p->fte_thousandths),
        pg_text_or_null(p->start), pg_text_or_null(p->end), pg_text(p->strategic_rationale),
        pg_bool(p->rationale_approved), pg_text(project ? project->title : NULL),
        pg_text(project ? project->start : NULL), pg_text(project ? project->end : NULL),
        PG_SKILL_COLUMNS(skills), PG_TEXT_COLUMNS(texts),
        pg_texts(p->languages, p->n_languages), pg_text_or_null(p->nuts),
        pg_i64(p->eligibility), pg_i64(p->state), pg_text(p->programme_code),
        pg_text_or_null(p->need_id));

    if (!insert)
        args.count -= 2; /* programme and need never change */
    return pg_execute(tx, statement, args, ret_touched);
}

static struct status
mismatch(struct arena *arena, uint64_t expected_version)
{
    return FAIL(arena, VERSION_MISMATCH, "the placement has changed since version %llu",
                (unsigned long long)expected_version);
}

struct status
store_placement_insert(struct pg_tx *tx, struct arena *arena,
                       const Registry__V1__Placement *placement)
{
    uint64_t touched;

    return put(tx, arena, &SQL_INSERT, 0, placement, true, &touched);
}

struct status
store_placement_update(struct pg_tx *tx, struct arena *arena,
                       Registry__V1__Placement *placement, uint64_t expected_version)
{
    uint64_t touched;

    TRY(put(tx, arena, &SQL_UPDATE, expected_version, placement, false, &touched));
    if (touched == 0)
        return mismatch(arena, expected_version);
    placement->version = expected_version + 1;
    return OK;
}

struct status
store_placement_step(struct pg_tx *tx, struct arena *arena, struct placement_row *row,
                     uint64_t expected_version)
{
    const Registry__V1__Placement *p = row->placement;
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_STEP,
                   PG_IN(pg_text(tx->scope.tenant_id), pg_text(p->placement_id),
                         pg_i64((int64_t)expected_version), pg_i64(p->state),
                         pg_i64(p->eligibility), pg_bool(p->rationale_approved),
                         pg_i64(row->visibility),
                         pg_texts(row->shared_with, row->shared_with_count),
                         pg_text_or_null(p->associate_id), pg_text_or_null(p->started_on),
                         pg_text_or_null(p->ended_on), pg_i64(p->outcome),
                         pg_i64(p->offer_answer), pg_text_or_null(row->ended_reason)),
                   &touched));
    if (touched == 0)
        return mismatch(arena, expected_version);
    row->placement->version = expected_version + 1;
    return OK;
}

struct raw_row {
    struct placement_row row;
    struct text_columns texts;
    struct skill_columns skills;
    int64_t *focus;
    size_t focus_count;
    int32_t state, eligibility, outcome, offer_answer, visibility;
    bool approved, overdue;
    const char *funded_title, *funded_start, *funded_end;
};

/* Turns what the columns hold into the message. */
static struct status
finish_row(struct arena *arena, struct raw_row *raw)
{
    Registry__V1__Placement *p = raw->row.placement;
    int *focus;

    p->state = (Registry__V1__PlacementState)raw->state;
    p->eligibility = (Registry__V1__Verdict__Overall)raw->eligibility;
    p->outcome = (Registry__V1__Outcome)raw->outcome;
    p->offer_answer = (Registry__V1__OfferAnswer)raw->offer_answer;
    p->rationale_approved = raw->approved;
    p->outcome_overdue = raw->overdue;
    raw->row.visibility = (Registry__V1__Visibility)raw->visibility;
    raw->row.ended_reason = "";
    TRY(text_columns_read(arena, &raw->texts, &p->description, &p->n_description));
    TRY(skill_columns_read(arena, &raw->skills, &p->skills, &p->n_skills));
    TRY(enum_column_read(arena, raw->focus, raw->focus_count, &focus));
    p->focus = (Registry__V1__FocusArea *)focus;
    p->n_focus = raw->focus_count;
    if (!*raw->funded_title)
        return OK;
    TRY(need(p->funded_project = ARENA_NEW(arena, Registry__V1__FundedPeriod)));
    registry__v1__funded_period__init(p->funded_project);
    p->funded_project->title = raw->funded_title;
    p->funded_project->start = raw->funded_start;
    p->funded_project->end = raw->funded_end;
    return OK;
}

/* Reads a row of get.sql or list.sql; *ret_any is false after the last. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, struct placement_row *ret, bool *ret_any)
{
    Registry__V1__Placement *p = ARENA_NEW(arena, Registry__V1__Placement);
    struct raw_row raw = {.row = {.placement = p}};

    TRY(need(p));
    registry__v1__placement__init(p);
    *ret_any = pg_next_row(
        rows, arena,
        PG_OUT(
            pg_to_text(&p->placement_id), pg_to_text(&p->title), pg_to_text(&p->programme_code),
            pg_to_i32(&raw.state), pg_to_i32(&raw.eligibility), pg_to_text(&p->need_id),
            pg_to_text(&p->host_organisation_id),
            pg_to_texts(&p->hei_organisation_ids, &p->n_hei_organisation_ids),
            pg_to_text(&p->academic_coach_id), pg_to_text(&p->business_coach_id),
            pg_to_text(&p->process_manager_id), pg_to_text(&p->associate_id),
            pg_to_i64s(&raw.focus, &raw.focus_count),
            pg_to_texts(&p->unlisted_focus, &p->n_unlisted_focus),
            pg_to_u32(&p->fte_thousandths), pg_to_text(&p->start), pg_to_text(&p->end),
            pg_to_text(&p->strategic_rationale), pg_to_bool(&raw.approved),
            pg_to_text(&raw.funded_title), pg_to_text(&raw.funded_start),
            pg_to_text(&raw.funded_end), PG_TO_SKILL_COLUMNS(raw.skills),
            PG_TO_TEXT_COLUMNS(raw.texts), pg_to_texts(&p->languages, &p->n_languages),
            pg_to_text(&p->nuts), pg_to_text(&p->started_on), pg_to_text(&p->ended_on),
            pg_to_i32(&raw.outcome), pg_to_i32(&raw.offer_answer), pg_to_bool(&raw.overdue),
            pg_to_u64(&p->version), pg_to_u64(&p->created_unix_ms), pg_to_i32(&raw.visibility),
            pg_to_texts(&raw.row.shared_with, &raw.row.shared_with_count),
            pg_to_text(&raw.row.tenant_id)));
    if (!*ret_any)
        return pg_rows_status(rows);
    TRY(finish_row(arena, &raw));
    *ret = raw.row;
    return OK;
}

struct status
store_placement_get(struct pg_tx *tx, struct arena *arena, const char *id,
                    struct placement_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    bool any;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(id)), &rows));
    TRY(next_row(&rows, arena, ret, &any));
    return any ? OK : FAIL(arena, NOT_FOUND, "there is no placement %s", id);
}

struct status
store_placement_list(struct pg_tx *tx, struct arena *arena,
                     const struct placement_filter *filter, Registry__V1__Placement ***ret,
                     size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__Placement **list;
    struct placement_row row;
    size_t count = 0;
    bool any;

    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__Placement *, filter->limit)));
    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text_or_null(filter->before_id), pg_i64(filter->state),
                       pg_text_or_null(filter->host_organisation_id),
                       pg_text_or_null(filter->graduate_id), pg_i64(filter->limit)),
                 &rows));
    while (count < filter->limit) {
        TRY(next_row(&rows, arena, &row, &any));
        if (!any)
            break;
        list[count++] = row.placement;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_review_insert(struct pg_tx *tx, const char *id,
                    const Registry__V1__RecordReviewRequest *request, const char *held_on)
{
    return pg_query(tx, &SQL_ADD_REVIEW,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(id),
                          pg_text(request->placement_id), pg_text(held_on),
                          pg_texts(request->participant_ids, request->n_participant_ids),
                          pg_text(request->summary)),
                    NULL);
}

struct status
store_verdict_insert(struct pg_tx *tx, struct arena *arena, const char *id,
                     const char *placement_id, const Registry__V1__Verdict *verdict)
{
    struct bytes packed;

    TRY(wire_pack(&verdict->base, arena, &packed));
    return pg_query(tx, &SQL_ADD_VERDICT,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_text(placement_id),
                          pg_text(verdict->programme_code), pg_text(verdict->rule_set_version),
                          pg_i64(verdict->overall), pg_i64(verdict->mode),
                          pg_bytes(packed.data, packed.size), pg_text(verdict->inputs_hash)),
                    NULL);
}

struct status
store_verdict_list(struct pg_tx *tx, struct arena *arena, const char *placement_id,
                   const char *before_id, uint32_t limit, struct verdict_row **ret,
                   size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct verdict_row *list;
    size_t count = 0;
    struct bytes packed;

    TRY(need(list = ARENA_ARRAY(arena, struct verdict_row, limit)));
    TRY(pg_query(tx, &SQL_VERDICTS,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(placement_id),
                       pg_text_or_null(before_id), pg_i64(limit)),
                 &rows));
    while (count < limit && pg_next_row(&rows, arena,
                                        PG_OUT(pg_to_text(&list[count].id),
                                               pg_to_bytes(&packed.data, &packed.size)))) {
        ProtobufCMessage *message;

        TRY(wire_unpack(&registry__v1__verdict__descriptor, packed, arena, &message));
        list[count++].verdict = (Registry__V1__Verdict *)message;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_verdict_last(struct pg_tx *tx, struct arena *arena, const char *placement_id,
                   Registry__V1__Verdict__Overall *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    int32_t overall = 0;

    TRY(pg_query(tx, &SQL_LAST_OVERALL,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(placement_id)), &rows));
    if (!pg_next_row(&rows, arena, PG_OUT(pg_to_i32(&overall))))
        TRY(pg_rows_status(&rows));
    *ret = (Registry__V1__Verdict__Overall)overall;
    return OK;
}
