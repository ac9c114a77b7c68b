/* What goes into a round: limits, topics, students, choices, rankings, pins. */

#include "services/matching/assignment/handlers.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "services/matching/assignment/words.h"

#define TOPICS_DEFAULT 100
#define TOPICS_PAGE_MAX 500

static struct status
tell_problems(struct call *call, const struct import_table *table,
              Matching__V1__ImportCohortReply *reply)
{
    const size_t told =
        table->problem_count < IMPORT_PROBLEMS_MAX ? table->problem_count : IMPORT_PROBLEMS_MAX;

    TRY(need(reply->problems =
                 ARENA_ARRAY(call->arena, Matching__V1__ImportProblem *, told + 1)));
    for (size_t i = 0; i < told; i++) {
        Matching__V1__ImportProblem *problem =
            ARENA_NEW(call->arena, Matching__V1__ImportProblem);

        TRY(need(problem));
        matching__v1__import_problem__init(problem);
        problem->line = table->problems[i].line;
        problem->column = table->problems[i].column;
        TRY(words_problem(call->arena, &table->problems[i], call->lang, &problem->text));
        reply->problems[reply->n_problems++] = problem;
    }
    reply->problem_count = (uint32_t)table->problem_count;
    return OK;
}

struct status
import_cohort(struct call *call, const Matching__V1__ImportCohortRequest *request,
              Matching__V1__ImportCohortReply *reply)
{
    const enum import_part part = (enum import_part)request->part;
    Matching__V1__Round *round;
    struct import_table table;
    struct cohort cohort;

    if ((int)request->part <= 0 || request->part > MATCHING__V1__COHORT_PART__RANKINGS)
        return FAIL_FIELD(call->arena, "part", "is required");
    if (strlen(request->csv) > IMPORT_BYTES_MAX)
        return FAIL_FIELD(call->arena, "csv", "at most %d bytes", IMPORT_BYTES_MAX);
    TRY(round_find(call, request->round_id, STORE_LOCK, &round));
    TRY(rules_act(call->arena, round, rules_import_act(request->part)));
    TRY(store_cohort(call->tx, call->arena, round->round_id, &cohort));
    TRY(import_read(&cohort, part, round->choices_max, request->csv, call->arena, &table));
    reply->rows = (uint32_t)(table.rows.limit_count + table.rows.topic_count +
                             table.rows.student_count + table.rows.ranking_count);
    reply->added = part == IMPORT_CHOICES ? 0 : table.added;
    TRY(tell_problems(call, &table, reply));
    if (request->dry_run || table.problem_count > 0)
        return OK;
    TRY(store_import(call->tx, call->arena, round->round_id, part, &table.rows));
    reply->stored = true;
    return OK;
}

struct status
check_topics(struct call *call, const Matching__V1__CheckTopicsRequest *request,
             Matching__V1__CheckTopicsReply *reply)
{
    const bool rejected = request->state == MATCHING__V1__TOPIC_STATE__TOPIC_REJECTED;
    const char *const *codes = (const char *const *)request->codes;
    Matching__V1__Round *round;
    uint64_t changed;

    if (request->state != MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED && !rejected)
        return FAIL_FIELD(call->arena, "state", "must be TOPIC_APPROVED or TOPIC_REJECTED");
    if (rejected || *request->reason)
        TRY(rules_text(call->arena, "reason", request->reason, RULES_REASON_LETTERS_MAX));
    TRY(round_find(call, request->round_id, STORE_LOCK, &round));
    TRY(rules_act(call->arena, round, ACT_CHECK_TOPICS));
    if (request->n_codes > 0) {
        struct cohort units;

        TRY(store_cohort_units(call->tx, call->arena, round->round_id, &units));
        for (size_t i = 0; i < request->n_codes; i++)
            if (!cohort_topic(&units, codes[i]))
                return FAIL_FIELD(call->arena, arena_printf(call->arena, "codes[%zu]", i),
                                  "is no topic of this round");
    }
    TRY(store_check_topics(call->tx, round->round_id, codes, request->n_codes, request->state,
                           rejected ? request->reason : "", &changed));
    reply->changed = (uint32_t)changed;
    return OK;
}

struct status
list_topics(struct call *call, const Matching__V1__ListTopicsRequest *request,
            Matching__V1__ListTopicsReply *reply)
{
    const bool all = round_officer(call) || call_has_role(call, WIRE__V1__ROLE__ACADEMIC_COACH);
    const char *ignored, *after, *listing;
    Matching__V1__Round *round;
    uint32_t shown;

    TRY(round_find(call, request->round_id, STORE_LOOK, &round));
    TRY(round_page_size(call, request->page_size, TOPICS_DEFAULT, TOPICS_PAGE_MAX, &shown));
    TRY(need(listing = arena_printf(call->arena, "topics/%s/%d", round->round_id, all)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &after));
    TRY(store_topic_page(call->tx, call->arena, round->round_id, after, shown + 1,
                         all ? MATCHING__V1__TOPIC_STATE__TOPIC_STATE_UNSPECIFIED
                             : MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED,
                         &reply->topics, &reply->n_topics));
    if (reply->n_topics > shown) {
        reply->n_topics = shown;
        TRY(cursor_make(call->arena, call->tenant_id, listing, "",
                        reply->topics[shown - 1]->code, &reply->next_page_token));
    }
    return OK;
}

static struct status
make_choices(struct call *call, const char *round_id, const struct cohort_student *student,
             Matching__V1__Choices **ret)
{
    Matching__V1__Choices *choices = ARENA_NEW(call->arena, Matching__V1__Choices);
    const char *rest = student->choices, *piece;
    const char **topics = ARENA_ARRAY(call->arena, const char *, COHORT_CHOICES_MAX);
    struct cohort_student partner;
    size_t size;

    TRY(need(choices));
    TRY(need(topics));
    matching__v1__choices__init(choices);
    choices->topics = topics;
    while ((size = cohort_next_choice(&rest, &piece)) > 0 &&
           choices->n_topics < COHORT_CHOICES_MAX)
        TRY(need(topics[choices->n_topics++] = arena_copy_n(call->arena, piece, size)));
    choices->student = student->code;
    choices->partner = student->partner;
    choices->pinned = student->pinned;
    choices->pin_reason = round_officer(call) ? student->pin_reason : "";
    if (*student->partner) {
        TRY(store_student(call->tx, call->arena, round_id, student->partner, "", &partner));
        choices->partner_agrees = strcmp(partner.partner, student->code) == 0;
    }
    *ret = choices;
    return OK;
}

struct status
set_choices(struct call *call, const Matching__V1__SetChoicesRequest *request,
            Matching__V1__SetChoicesReply *reply)
{
    struct cohort_student student, partner;
    Matching__V1__Round *round;
    struct cohort units;

    TRY(round_find(call, request->round_id, STORE_SHARE, &round));
    TRY(round_student(call, round->round_id, request->student, &student));
    TRY(rules_act(call->arena, round, ACT_CHOOSE));
    TRY(store_cohort_units(call->tx, call->arena, round->round_id, &units));
    TRY(rules_choices(call->arena, &units, (const char *const *)request->topics,
                      request->n_topics, round->choices_max, &student.choices));
    if (*request->partner) {
        const struct status found = store_student(call->tx, call->arena, round->round_id,
                                                  request->partner, "", &partner);

        if (found.code == CODE_NOT_FOUND || strcmp(request->partner, student.code) == 0)
            return FAIL_FIELD(call->arena, "partner", "is no other student of this round");
        TRY(found);
    }
    student.partner = request->partner;
    TRY(store_import(call->tx, call->arena, round->round_id, IMPORT_CHOICES,
                     &(struct cohort){.students = &student, .student_count = 1}));
    return make_choices(call, round->round_id, &student, &reply->choices);
}

struct status
get_choices(struct call *call, const Matching__V1__GetChoicesRequest *request,
            Matching__V1__GetChoicesReply *reply)
{
    struct cohort_student student;
    Matching__V1__Round *round;

    TRY(round_find(call, request->round_id, STORE_LOOK, &round));
    TRY(round_student(call, round->round_id, request->student, &student));
    return make_choices(call, round->round_id, &student, &reply->choices);
}

/* A supervisor ranks for the limit that has its profile. */
static struct status
check_owner(struct call *call, const struct cohort *cohort, const char *owner)
{
    const struct cohort_limit *limit = cohort_limit(cohort, owner);

    if (!round_officer(call) && (!limit || !*call->principal->person_id ||
                                 strcmp(limit->person_id, call->principal->person_id) != 0))
        return FAIL(call->arena, PERMISSION_DENIED,
                    "a supervisor ranks for the own limit only");
    if (!limit && !cohort_topic(cohort, owner))
        return FAIL_FIELD(call->arena, "owner", "is no limit and no topic of this round");
    return OK;
}

struct status
rank_students(struct call *call, const Matching__V1__RankStudentsRequest *request,
              Matching__V1__RankStudentsReply *reply)
{
    struct cohort cohort, rows = {0};
    Matching__V1__Round *round;
    size_t stay = 0;

    TRY(rules_code(call->arena, "owner", request->owner));
    TRY(round_find(call, request->round_id, STORE_LOCK, &round));
    TRY(store_cohort(call->tx, call->arena, round->round_id, &cohort));
    TRY(check_owner(call, &cohort, request->owner));
    TRY(rules_act(call->arena, round, ACT_RANK));
    TRY(rules_bands(call->arena, &cohort, request, &rows.rankings, &rows.ranking_count));
    for (size_t i = 0; i < cohort.ranking_count; i++)
        stay += strcmp(cohort.rankings[i].owner, request->owner) != 0;
    if (stay + rows.ranking_count > COHORT_RANKINGS_MAX)
        return FAIL_FIELD(call->arena, "bands", "a round has at most %d ranked students",
                          COHORT_RANKINGS_MAX);
    if (rows.ranking_count == 0)
        return store_drop_ranking(call->tx, round->round_id, request->owner);
    reply->ranked = (uint32_t)rows.ranking_count;
    return store_import(call->tx, call->arena, round->round_id, IMPORT_RANKINGS, &rows);
}

struct status
round_pin(struct call *call, const Matching__V1__Round *round, const char *field,
          const char *code, const char *topic, const char *reason)
{
    const struct cohort_question question = round_question(round);
    struct cohort_student *student;
    struct cohort_instance numbered;
    struct cohort cohort;
    struct status checked;

    TRY(store_cohort(call->tx, call->arena, round->round_id, &cohort));
    student = cohort_student(&cohort, code);
    if (!student)
        return FAIL(call->arena, NOT_FOUND, "there is no student %s in the round", code);
    student->pinned = topic;
    checked = cohort_number(&cohort, &question, call->arena, &numbered);
    if (checked.code == CODE_INVALID_ARGUMENT && *topic)
        return FAIL_FIELD(call->arena, field, "%s: %s", checked.field, checked.detail);
    TRY(checked);
    return store_pin(call->tx, call->arena, round->round_id, code, topic, *topic ? reason : "",
                     *topic ? call->principal->subject_id : "");
}

struct status
pin_student(struct call *call, const Matching__V1__PinStudentRequest *request,
            Matching__V1__PinStudentReply *reply)
{
    struct cohort_student student;
    Matching__V1__Round *round;

    TRY(rules_code(call->arena, "student", request->student));
    if (*request->topic)
        TRY(rules_text(call->arena, "reason", request->reason, RULES_REASON_LETTERS_MAX));
    TRY(round_find(call, request->round_id, STORE_LOCK, &round));
    TRY(rules_act(call->arena, round, ACT_PIN));
    TRY(round_pin(call, round, "topic", request->student, request->topic, request->reason));
    TRY(store_student(call->tx, call->arena, round->round_id, request->student, "", &student));
    return make_choices(call, round->round_id, &student, &reply->choices);
}
