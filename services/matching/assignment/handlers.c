#include "services/matching/assignment/handlers.h"

#include <sodium.h>
#include <string.h>

#include "common/base/uuid.h"
#include "common/pg/cursor.h"
#include "matching/v1/round_events.pb-c.h"
#include "services/matching/assignment/assignment.h"
#include "services/matching/assignment/news.h"
#include "services/matching/roll.h"

#define LISTING "rounds"
#define PAGE_DEFAULT 20
#define PAGE_MAX 100

bool
round_officer(const struct call *call)
{
    return call_has_role(call, WIRE__V1__ROLE__PARTNERSHIP_OFFICER) ||
           call_has_role(call, WIRE__V1__ROLE__PROGRAMME_DIRECTOR);
}

struct status
round_find(struct call *call, const char *round_id, enum store_hold hold,
           Matching__V1__Round **ret)
{
    if (!uuid_valid(round_id))
        return FAIL_FIELD(call->arena, "round_id", "must be a UUID in lower case");
    return store_round_get(call->tx, call->arena, round_id, hold, ret);
}

struct status
round_student(struct call *call, const char *round_id, const char *code,
              struct cohort_student *ret)
{
    if (*code)
        TRY(rules_code(call->arena, "student", code));
    if (*code && !round_officer(call))
        return FAIL(call->arena, PERMISSION_DENIED, "a student acts without naming a student");
    if (!*code && !*call->principal->person_id)
        return round_officer(call)
                   ? FAIL_FIELD(call->arena, "student", "is required")
                   : FAIL(call->arena, NOT_FOUND, "you are no student of the round");
    return store_student(call->tx, call->arena, round_id, code, call->principal->person_id,
                         ret);
}

struct cohort_question
round_question(const Matching__V1__Round *round)
{
    return (struct cohort_question){.objective =
                                        (enum assignment_objective)(round->objective - 1),
                                    .seed = round->seed,
                                    .fill = round->fill};
}

struct status
round_page_size(struct call *call, uint32_t page_size, uint32_t usual, uint32_t most,
                uint32_t *ret)
{
    if (page_size > most)
        return FAIL_FIELD(call->arena, "page_size", "at most %u", most);
    *ret = page_size ? page_size : usual;
    return OK;
}

/* A failure names students: not for everybody. */
static void
hide(const struct call *call, Matching__V1__Round *round)
{
    if (!round_officer(call))
        round->failure = "";
}

static struct status
create_round(struct call *call, const Matching__V1__CreateRoundRequest *request,
             Matching__V1__CreateRoundReply *reply)
{
    Matching__V1__Round *round = ARENA_NEW(call->arena, Matching__V1__Round);
    char *id = arena_alloc(call->arena, UUID_SIZE);

    TRY(need(round));
    TRY(need(id));
    matching__v1__round__init(round);
    TRY(rules_round(call->arena, request, round));
    while (round->seed == 0) {
        randombytes_buf(&round->seed, sizeof round->seed);
        round->seed >>= 11; /* exact in every reader of JSON */
    }
    uuid_v7(call->clock, id);
    round->round_id = id;
    round->created_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    TRY(store_round_insert(call->tx, round));
    reply->round = round;
    return OK;
}

static struct status
get_round(struct call *call, const Matching__V1__GetRoundRequest *request,
          Matching__V1__GetRoundReply *reply)
{
    TRY(round_find(call, request->round_id, STORE_LOOK, &reply->round));
    hide(call, reply->round);
    return OK;
}

static struct status
list_rounds(struct call *call, const Matching__V1__ListRoundsRequest *request,
            Matching__V1__ListRoundsReply *reply)
{
    const char *ignored, *after;
    uint32_t shown;

    TRY(round_page_size(call, request->page_size, PAGE_DEFAULT, PAGE_MAX, &shown));
    TRY(cursor_read(call->arena, call->tenant_id, LISTING, request->page_token, &ignored,
                    &after));
    TRY(store_round_list(call->tx, call->arena, after, shown + 1, &reply->rounds,
                         &reply->n_rounds));
    if (reply->n_rounds > shown) {
        reply->n_rounds = shown;
        TRY(cursor_make(call->arena, call->tenant_id, LISTING, "",
                        reply->rounds[shown - 1]->round_id, &reply->next_page_token));
    }
    for (size_t i = 0; i < reply->n_rounds; i++)
        hide(call, reply->rounds[i]);
    return OK;
}

/* An assignment becomes final when it is of what stands now, and nobody waits for an answer. */
static struct status
check_final(struct call *call, const Matching__V1__Round *round)
{
    const struct cohort_question question = round_question(round);
    Matching__V1__Objection **objections;
    struct cohort_instance numbered;
    struct cohort cohort;
    const char *hash;
    size_t count;

    TRY(store_objections(call->tx, call->arena, round->round_id, "", "", &objections, &count));
    for (size_t i = 0; i < count; i++)
        if (objections[i]->state == MATCHING__V1__OBJECTION_STATE__OBJECTION_RAISED)
            return FAIL(call->arena, FAILED_PRECONDITION, "an objection is not decided yet");
    TRY(store_cohort(call->tx, call->arena, round->round_id, &cohort));
    TRY(cohort_number(&cohort, &question, call->arena, &numbered));
    TRY(cohort_hash(&numbered, call->arena, &hash));
    if (strcmp(hash, round->input_hash) != 0)
        return FAIL(call->arena, FAILED_PRECONDITION,
                    "something has changed since the round was solved: solve it again");
    return OK;
}

static struct status
check_move(struct call *call, const Matching__V1__Round *round, Matching__V1__RoundState to)
{
    struct cohort units;

    TRY(rules_move(call->arena, round, to));
    if (to == MATCHING__V1__ROUND_STATE__FINAL)
        return check_final(call, round);
    if (to != MATCHING__V1__ROUND_STATE__RANKING_OPEN)
        return OK;
    TRY(store_cohort_units(call->tx, call->arena, round->round_id, &units));
    return rules_topics_checked(call->arena, &units);
}

/* The news of a state, if people are told of it. */
static Matching__V1__RoundNews
news_of(Matching__V1__RoundState state)
{
    switch (state) {
    case MATCHING__V1__ROUND_STATE__RANKING_OPEN:
        return MATCHING__V1__ROUND_NEWS__NEWS_OPENED;
    case MATCHING__V1__ROUND_STATE__OBJECTIONS:
        return MATCHING__V1__ROUND_NEWS__NEWS_RESULT;
    case MATCHING__V1__ROUND_STATE__FINAL:
        return MATCHING__V1__ROUND_NEWS__NEWS_FINAL;
    default:
        return MATCHING__V1__ROUND_NEWS__ROUND_NEWS_UNSPECIFIED;
    }
}

static struct status
tell(struct call *call, const Matching__V1__Round *round)
{
    Matching__V1__RoundOpened opened = MATCHING__V1__ROUND_OPENED__INIT;
    Matching__V1__RoundObjectionsOpened objections =
        MATCHING__V1__ROUND_OBJECTIONS_OPENED__INIT;
    Matching__V1__RoundFinalised final = MATCHING__V1__ROUND_FINALISED__INIT;
    Matching__V1__RoundStateChanged changed = MATCHING__V1__ROUND_STATE_CHANGED__INIT;
    const Matching__V1__RoundNews news = news_of(round->state);
    struct outbox_event event = {.data = &changed.base, .subject = round->round_id};

    opened.round_id = final.round_id = changed.round_id = objections.round_id = round->round_id;
    changed.state = round->state;
    final.run = objections.run = round->run;
    final.input_hash = round->input_hash;
    objections.until_unix_ms = round->objections_until_unix_ms;
    if (news == MATCHING__V1__ROUND_NEWS__NEWS_OPENED)
        event.data = &opened.base;
    if (news == MATCHING__V1__ROUND_NEWS__NEWS_RESULT)
        event.data = &objections.base;
    if (news == MATCHING__V1__ROUND_NEWS__NEWS_FINAL)
        event.data = &final.base;
    TRY(call_emit(call, event));
    return news ? news_tell(call, round->round_id, news, NULL) : OK;
}

static struct status
step(struct call *call, Matching__V1__Round *round, uint64_t expected_version,
     Matching__V1__RoundState to)
{
    const bool objections = to == MATCHING__V1__ROUND_STATE__OBJECTIONS;

    TRY(store_round_step(call->tx, call->arena, round, expected_version, to,
                         objections ? round->objection_days : 0));
    if (objections)
        round->objections_until_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms +
                                          round->objection_days * (uint64_t)86400000;
    return tell(call, round);
}

struct status
round_version(struct call *call, const Matching__V1__Round *round, uint64_t expected_version)
{
    if (expected_version == 0)
        return FAIL(call->arena, PRECONDITION_REQUIRED,
                    "say which version of the round is changed");
    if (round->version != expected_version)
        return FAIL(call->arena, VERSION_MISMATCH, "the round has version %llu",
                    (unsigned long long)round->version);
    return OK;
}

static struct status
move_round(struct call *call, const Matching__V1__MoveRoundRequest *request,
           Matching__V1__MoveRoundReply *reply)
{
    Matching__V1__Round *round;

    TRY(round_find(call, request->round_id, STORE_LOCK, &round));
    TRY(round_version(call, round, request->expected_version));
    TRY(check_move(call, round, request->state));
    TRY(step(call, round, request->expected_version, request->state));
    reply->round = round;
    return OK;
}

static struct status
solve_round(struct call *call, const Matching__V1__SolveRoundRequest *request,
            Matching__V1__SolveRoundReply *reply)
{
    Matching__V1__Round *round;

    TRY(round_find(call, request->round_id, STORE_LOCK, &round));
    TRY(round_version(call, round, request->expected_version));
    TRY(rules_act(call->arena, round, ACT_SOLVE));
    TRY(roll_put(call->tx, ROLL_ROUNDS));
    TRY(step(call, round, request->expected_version,
             MATCHING__V1__ROUND_STATE__SOLVE_REQUESTED));
    reply->round = round;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Matching__V1__Rounds_Service, handler, Matching__V1__##Name##Request,           \
               Matching__V1__##Name##Reply)

METHOD(create_round, CreateRound)
METHOD(get_round, GetRound)
METHOD(list_rounds, ListRounds)
METHOD(import_cohort, ImportCohort)
METHOD(move_round, MoveRound)
METHOD(check_topics, CheckTopics)
METHOD(list_topics, ListTopics)
METHOD(set_choices, SetChoices)
METHOD(get_choices, GetChoices)
METHOD(rank_students, RankStudents)
METHOD(pin_student, PinStudent)
METHOD(solve_round, SolveRound)
METHOD(try_round, TryRound)
METHOD(get_sheet, GetSheet)
METHOD(list_assignments, ListAssignments)
METHOD(get_assignment, GetAssignment)
METHOD(raise_objection, RaiseObjection)
METHOD(list_objections, ListObjections)
METHOD(decide_objection, DecideObjection)
METHOD(amend_assignment, AmendAssignment)
METHOD(list_amendments, ListAmendments)

static Matching__V1__Rounds_Service service = MATCHING__V1__ROUNDS__INIT(rpc_);
const ProtobufCService *const rounds_service = &service.base;
