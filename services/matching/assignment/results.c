/* What comes out of a round: sheets, assignments, what-ifs, objections. */

#include "services/matching/assignment/handlers.h"

#include <string.h>

#include "common/base/uuid.h"
#include "common/pg/cursor.h"
#include "services/matching/assignment/store_amend.h"
#include "services/matching/assignment/words.h"

#define PLACES_DEFAULT 100
#define PLACES_PAGE_MAX 500
#define TRY_BYTES ((size_t)256 << 20)
#define TRY_WORK_MAX 50000000u /* about a second */

static void
tell_causes(const struct call *call, Matching__V1__Sheet *sheet)
{
    for (size_t i = 0; i < sheet->n_blocking; i++)
        sheet->blocking[i]->cause_text = words_cause(sheet->blocking[i]->cause, call->lang);
}

/* Against what was stored; both by student. */
static struct status
find_moves(struct call *call, const struct place_row *places, size_t count,
           const struct stored_place *before, size_t before_count,
           Matching__V1__TryRoundReply *reply)
{
    size_t at = 0;

    TRY(need(reply->moves = ARENA_ARRAY(call->arena, Matching__V1__Move *, SHEET_LISTED_MAX)));
    for (size_t i = 0; i < count; i++) {
        const char *from = "";
        Matching__V1__Move *move;

        while (at < before_count &&
               strcmp(before[at].assignment.student, places[i].student) < 0)
            at++;
        if (at < before_count && strcmp(before[at].assignment.student, places[i].student) == 0)
            from = before[at].assignment.topic;
        if (strcmp(from, places[i].topic) == 0)
            continue;
        reply->move_count++;
        if (reply->n_moves == SHEET_LISTED_MAX)
            continue;
        TRY(need(move = ARENA_NEW(call->arena, Matching__V1__Move)));
        matching__v1__move__init(move);
        move->student = places[i].student;
        move->from = from;
        TRY(need(move->to = arena_copy(call->arena, places[i].topic)));
        reply->moves[reply->n_moves++] = move;
    }
    return OK;
}

static struct status
try_in(struct call *call, const Matching__V1__TryRoundRequest *request, struct arena *arena,
       Matching__V1__TryRoundReply *reply)
{
    struct cohort_question question;
    struct stored_place *before;
    struct sheet_solved *solved;
    Matching__V1__Sheet *sheet;
    ProtobufCMessage *copy;
    Matching__V1__Round *round;
    struct place_row *places;
    size_t count, before_count;
    struct cohort cohort;

    TRY(round_find(call, request->round_id, STORE_LOOK, &round));
    TRY(rules_act(call->arena, round, ACT_TRY));
    TRY(store_cohort(call->tx, call->arena, round->round_id, &cohort));
    TRY(rules_try(call->arena, &cohort, request));
    question = round_question(round);
    if (request->objective)
        question.objective = (enum assignment_objective)(request->objective - 1);
    if (request->seed)
        question.seed = request->seed;
    if (question.objective != ASSIGNMENT_STABLE &&
        (uint64_t)cohort.student_count * cohort.student_count * round->choices_max >
            TRY_WORK_MAX)
        return FAIL_FIELD(call->arena, "objective",
                          "takes too long to wait for with %zu students", cohort.student_count);
    TRY(sheet_solve(&cohort, &question, arena, &solved));
    TRY(sheet_make(solved, arena, &sheet));
    TRY(sheet_places(solved, arena, &places, &count));
    TRY(store_place_page(call->tx, call->arena, round->round_id, "", COHORT_STUDENTS_MAX,
                         &before, &before_count));
    TRY(find_moves(call, places, count, before, before_count, reply));
    TRY(wire_copy(&sheet->base, call->arena, &copy));
    reply->sheet = (Matching__V1__Sheet *)copy;
    tell_causes(call, reply->sheet);
    return OK;
}

/* A failure's words may lie in `arena`, which goes. */
static struct status
keep_words(struct call *call, struct status status)
{
    if (status.detail)
        status.detail = arena_copy(call->arena, status.detail);
    if (status.field)
        status.field = arena_copy(call->arena, status.field);
    return status;
}

struct status
try_round(struct call *call, const Matching__V1__TryRoundRequest *request,
          Matching__V1__TryRoundReply *reply)
{
    scoped(arena_fini) struct arena arena = {0};

    arena_init(&arena, TRY_BYTES);
    return keep_words(call, try_in(call, request, &arena, reply));
}

struct status
get_sheet(struct call *call, const Matching__V1__GetSheetRequest *request,
          Matching__V1__GetSheetReply *reply)
{
    Matching__V1__Round *round;

    TRY(round_find(call, request->round_id, STORE_LOOK, &round));
    TRY(store_sheet(call->tx, call->arena, round->round_id, request->run, &reply->sheet));
    if (reply->sheet->run == round->run) {
        TRY(store_amendment_count(call->tx, call->arena, round->round_id,
                                  &reply->sheet->amendment_count));
        TRY(store_amendments(call->tx, call->arena, round->round_id, 0, SHEET_LISTED_MAX,
                             &reply->sheet->amendments, &reply->sheet->n_amendments));
    }
    tell_causes(call, reply->sheet);
    return OK;
}

struct status
list_assignments(struct call *call, const Matching__V1__ListAssignmentsRequest *request,
                 Matching__V1__ListAssignmentsReply *reply)
{
    const char *ignored, *after, *listing;
    Matching__V1__Round *round;
    struct stored_place *places;
    uint32_t shown;
    size_t count;

    TRY(round_find(call, request->round_id, STORE_LOOK, &round));
    TRY(round_page_size(call, request->page_size, PLACES_DEFAULT, PLACES_PAGE_MAX, &shown));
    TRY(need(listing =
                 arena_printf(call->arena, "assignments/%s/%u", round->round_id, round->run)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &after));
    TRY(store_place_page(call->tx, call->arena, round->round_id, after, shown + 1, &places,
                         &count));
    if (count > shown) {
        count = shown;
        TRY(cursor_make(call->arena, call->tenant_id, listing, "",
                        places[count - 1].assignment.student, &reply->next_page_token));
    }
    TRY(need(reply->assignments =
                 ARENA_ARRAY(call->arena, Matching__V1__Assignment *, count + 1)));
    for (size_t i = 0; i < count; i++)
        reply->assignments[reply->n_assignments++] = &places[i].assignment;
    return OK;
}

struct status
get_assignment(struct call *call, const Matching__V1__GetAssignmentRequest *request,
               Matching__V1__GetAssignmentReply *reply)
{
    struct cohort_student student;
    struct stored_place *place;
    Matching__V1__Round *round;

    TRY(round_find(call, request->round_id, STORE_LOOK, &round));
    TRY(round_student(call, round->round_id, request->student, &student));
    if (!round_officer(call))
        TRY(rules_act(call->arena, round, ACT_READ_OWN));
    TRY(need(place = ARENA_NEW(call->arena, struct stored_place)));
    TRY(store_place(call->tx, call->arena, round->round_id, student.code, place));
    reply->assignment = &place->assignment;
    TRY(words_place(call->arena, reply->assignment, call->lang, &reply->text));
    TRY(sheet_reasons(place->barriers, call->arena, &reply->reasons, &reply->n_reasons));
    for (size_t i = 0; i < reply->n_reasons; i++)
        TRY(words_reason(call->arena, reply->reasons[i], call->lang, &reply->reasons[i]->text));
    return OK;
}

struct status
raise_objection(struct call *call, const Matching__V1__RaiseObjectionRequest *request,
                Matching__V1__RaiseObjectionReply *reply)
{
    Matching__V1__Objection *objection = ARENA_NEW(call->arena, Matching__V1__Objection);
    char *id = arena_alloc(call->arena, UUID_SIZE);
    const uint64_t now = (uint64_t)clock_wall(call->clock).unix_ms;
    struct cohort_student student;
    Matching__V1__Round *round;

    TRY(need(objection));
    TRY(need(id));
    TRY(rules_text(call->arena, "text", request->text, RULES_TEXT_LETTERS_MAX));
    TRY(round_find(call, request->round_id, STORE_SHARE, &round));
    TRY(round_student(call, round->round_id, "", &student));
    TRY(rules_act(call->arena, round, ACT_OBJECT));
    if (now > round->objections_until_unix_ms)
        return FAIL(call->arena, FAILED_PRECONDITION, "the window for objections has closed");
    matching__v1__objection__init(objection);
    uuid_v7(call->clock, id);
    objection->objection_id = id;
    objection->student = student.code;
    objection->text = request->text;
    objection->state = MATCHING__V1__OBJECTION_STATE__OBJECTION_RAISED;
    objection->raised_unix_ms = now;
    TRY(store_objection_insert(call->tx, round->round_id, objection));
    reply->objection = objection;
    return OK;
}

struct status
list_objections(struct call *call, const Matching__V1__ListObjectionsRequest *request,
                Matching__V1__ListObjectionsReply *reply)
{
    struct cohort_student student = {.code = ""};
    Matching__V1__Round *round;

    TRY(round_find(call, request->round_id, STORE_LOOK, &round));
    if (!round_officer(call))
        TRY(round_student(call, round->round_id, "", &student));
    return store_objections(call->tx, call->arena, round->round_id, student.code, "",
                            &reply->objections, &reply->n_objections);
}

struct status
decide_objection(struct call *call, const Matching__V1__DecideObjectionRequest *request,
                 Matching__V1__DecideObjectionReply *reply)
{
    Matching__V1__Objection **found, *objection;
    Matching__V1__Round *round;
    size_t count;

    if (!uuid_valid(request->objection_id))
        return FAIL_FIELD(call->arena, "objection_id", "must be a UUID in lower case");
    TRY(rules_text(call->arena, "answer", request->answer, RULES_TEXT_LETTERS_MAX));
    if (*request->pin_topic && !request->uphold)
        return FAIL_FIELD(call->arena, "pin_topic", "goes with an objection that is upheld");
    TRY(round_find(call, request->round_id, STORE_LOCK, &round));
    TRY(rules_act(call->arena, round, ACT_OBJECT));
    TRY(store_objections(call->tx, call->arena, round->round_id, "", request->objection_id,
                         &found, &count));
    if (count == 0)
        return FAIL(call->arena, NOT_FOUND, "there is no objection %s", request->objection_id);
    objection = found[0];
    objection->state = request->uphold ? MATCHING__V1__OBJECTION_STATE__OBJECTION_UPHELD
                                       : MATCHING__V1__OBJECTION_STATE__OBJECTION_DISMISSED;
    objection->answer = request->answer;
    TRY(store_objection_decide(call->tx, call->arena, round->round_id, objection,
                               call->principal->subject_id));
    if (*request->pin_topic)
        TRY(round_pin(call, round, "pin_topic", objection->student, request->pin_topic,
                      "An objection was upheld."));
    reply->objection = objection;
    return OK;
}
