#include "services/registry/placements/rules.h"

#include <string.h>

#include "services/registry/values/values.h"

#define TITLE_LENGTH 200
#define RATIONALE_LENGTH 4000
#define HEIS_MOST 20
#define FOCUS_MOST 10
#define UNLISTED_LENGTH 60
#define SKILLS_MOST 50
#define DATE_BYTES 10

static struct status
check_focus(struct arena *arena, const Registry__V1__Placement *placement)
{
    if (placement->n_focus > FOCUS_MOST)
        return FAIL_FIELD(arena, "focus", "must have at most %d items", FOCUS_MOST);
    for (size_t i = 0; i < placement->n_focus; i++) {
        char *field = arena_printf(arena, "focus[%zu]", i);

        TRY(need(field));
        TRY(values_enum(arena, field, &registry__v1__focus_area__descriptor,
                        (int)placement->focus[i], true));
        for (size_t j = 0; j < i; j++)
            if (placement->focus[i] == placement->focus[j])
                return FAIL_FIELD(arena, field, "is the same as item %zu", j);
    }
    if (placement->n_unlisted_focus > FOCUS_MOST)
        return FAIL_FIELD(arena, "unlisted_focus", "must have at most %d items", FOCUS_MOST);
    for (size_t i = 0; i < placement->n_unlisted_focus; i++) {
        char *field = arena_printf(arena, "unlisted_focus[%zu]", i);

        TRY(need(field));
        TRY(values_line(arena, field, &placement->unlisted_focus[i], 1, UNLISTED_LENGTH));
    }
    return OK;
}

static struct status
check_period(struct arena *arena, const char *start_field, const char *start,
             const char *end_field, const char *end)
{
    TRY(values_date(arena, start_field, start, false));
    TRY(values_date(arena, end_field, end, false));
    if (*start && *end && strcmp(end, start) <= 0)
        return FAIL_FIELD(arena, end_field, "must be after the start, which is %s", start);
    return OK;
}

static struct status
check_funded_project(struct arena *arena, Registry__V1__FundedPeriod *project)
{
    if (!project)
        return OK;
    TRY(values_line(arena, "funded_project.title", &project->title, 1, TITLE_LENGTH));
    TRY(values_date(arena, "funded_project.start", project->start, true));
    TRY(values_date(arena, "funded_project.end", project->end, true));
    return check_period(arena, "funded_project.start", project->start, "funded_project.end",
                        project->end);
}

struct status
rules_placement(struct arena *arena, Registry__V1__Placement *placement)
{
    const struct values_text_rule description = {0, 3, 4000, false};

    TRY(values_line(arena, "title", &placement->title, 1, TITLE_LENGTH));
    TRY(values_id(arena, "need_id", placement->need_id, false));
    TRY(values_id(arena, "host_organisation_id", placement->host_organisation_id, false));
    TRY(values_ids(arena, "hei_organisation_ids", placement->hei_organisation_ids,
                   placement->n_hei_organisation_ids, HEIS_MOST));
    TRY(values_id(arena, "academic_coach_id", placement->academic_coach_id, false));
    TRY(values_id(arena, "business_coach_id", placement->business_coach_id, false));
    TRY(values_id(arena, "process_manager_id", placement->process_manager_id, false));
    TRY(check_focus(arena, placement));
    if (placement->fte_thousandths > 1000)
        return FAIL_FIELD(arena, "fte_thousandths", "must be at most 1000, which is full time");
    TRY(check_period(arena, "start", placement->start, "end", placement->end));
    TRY(values_text(arena, "strategic_rationale", &placement->strategic_rationale, 0,
                    RATIONALE_LENGTH));
    TRY(check_funded_project(arena, placement->funded_project));
    TRY(values_skills(arena, "skills", placement->skills, placement->n_skills, SKILLS_MOST));
    TRY(values_texts(arena, "description", placement->description, placement->n_description,
                     description));
    TRY(values_languages(arena, "languages", placement->languages, placement->n_languages));
    return values_nuts(arena, "nuts", placement->nuts);
}

#define FROM(state) (1u << REGISTRY__V1__PLACEMENT_STATE__##state)

struct status
rules_placement_step(struct arena *arena, const Registry__V1__Placement *placement,
                     enum placement_step step)
{
    static const struct {
        unsigned from;
        const char *doing;
    } steps[] = {
        [STEP_CHANGE] = {FROM(DRAFTED) | FROM(ELIGIBLE_PLACEMENT), "be changed"},
        [STEP_ADVERTISE] = {FROM(ELIGIBLE_PLACEMENT), "be advertised"},
        [STEP_APPLY] = {FROM(ADVERTISED), "be applied to"},
        [STEP_SELECT] = {FROM(ADVERTISED), "get its associate"},
        [STEP_SIGN] = {FROM(ASSOCIATE_SELECTED), "be contracted"},
        [STEP_START] = {FROM(CONTRACTED), "start"},
        [STEP_REVIEW] = {FROM(STARTED) | FROM(MIDWAY_REVIEWED), "be reviewed"},
        [STEP_END] = {FROM(STARTED) | FROM(MIDWAY_REVIEWED), "end"},
        [STEP_RECORD_OUTCOME] = {FROM(ENDED) | FROM(OUTCOME_RECORDED), "have an outcome"},
        [STEP_TERMINATE] = {FROM(DRAFTED) | FROM(ELIGIBLE_PLACEMENT) | FROM(ADVERTISED) |
                                FROM(ASSOCIATE_SELECTED) | FROM(CONTRACTED) | FROM(STARTED) |
                                FROM(MIDWAY_REVIEWED),
                            "be terminated"},
    };
    const ProtobufCEnumValue *state = protobuf_c_enum_descriptor_get_value(
        &registry__v1__placement_state__descriptor, (int)placement->state);

    if (steps[step].from & (1u << placement->state))
        return OK;
    return FAIL(arena, FAILED_PRECONDITION, "a placement that is %s cannot %s",
                state ? state->name : "in an unknown state", steps[step].doing);
}

struct status
rules_placement_past(struct arena *arena, const char *field, struct wall now,
                     const char *not_before, const char **date)
{
    char today[WALL_TEXT_SIZE];

    wall_format(now, today);
    today[DATE_BYTES] = '\0';
    if (!**date)
        TRY(need(*date = arena_copy(arena, today)));
    TRY(values_date(arena, field, *date, true));
    if (strcmp(*date, today) > 0)
        return FAIL_FIELD(arena, field, "must not be in the future");
    if (*not_before && strcmp(*date, not_before) < 0)
        return FAIL_FIELD(arena, field, "must not be before %s", not_before);
    return OK;
}

struct status
rules_placement_outcome(struct arena *arena, const Registry__V1__RecordOutcomeRequest *request)
{
    const bool offered =
        request->outcome >= REGISTRY__V1__OUTCOME__OFFERED_PERMANENT &&
        request->outcome <= REGISTRY__V1__OUTCOME__OFFERED_OWN_BUSINESS_ASSIGNMENT;

    TRY(values_enum(arena, "outcome", &registry__v1__outcome__descriptor, (int)request->outcome,
                    true));
    if (request->outcome == REGISTRY__V1__OUTCOME__OUTCOME_PENDING)
        return FAIL_FIELD(arena, "outcome", "must be known, or OUTCOME_UNKNOWN");
    TRY(values_enum(arena, "offer_answer", &registry__v1__offer_answer__descriptor,
                    (int)request->offer_answer, offered));
    if (!offered && request->offer_answer)
        return FAIL_FIELD(arena, "offer_answer", "is only for an outcome with an offer");
    return OK;
}

static bool
among(const char *id, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(id, ids[i]) == 0)
            return true;
    return false;
}

struct status
rules_placement_review(struct arena *arena, const Registry__V1__Placement *placement,
                       const Registry__V1__RecordReviewRequest *request)
{
    TRY(values_ids(arena, "participant_ids", request->participant_ids,
                   request->n_participant_ids, 20));
    if (!among(placement->academic_coach_id, request->participant_ids,
               request->n_participant_ids) ||
        !among(placement->business_coach_id, request->participant_ids,
               request->n_participant_ids))
        return FAIL_FIELD(arena, "participant_ids", "must have both coaches among them");
    return OK;
}

struct status
rules_application_decision(struct arena *arena, Registry__V1__ApplicationState state,
                           const Registry__V1__DecideApplicationRequest *request)
{
    const bool rejected =
        request->state == REGISTRY__V1__APPLICATION_STATE__APPLICATION_REJECTED;

    TRY(values_enum(arena, "state", &registry__v1__application_state__descriptor,
                    (int)request->state, true));
    TRY(values_enum(arena, "reason", &registry__v1__application_reason__descriptor,
                    (int)request->reason, rejected));
    if (!rejected && request->reason)
        return FAIL_FIELD(arena, "reason", "is only for a rejection");
    if (request->state < REGISTRY__V1__APPLICATION_STATE__UNDER_REVIEW ||
        request->state == REGISTRY__V1__APPLICATION_STATE__APPLICATION_ACCEPTED ||
        request->state == REGISTRY__V1__APPLICATION_STATE__APPLICATION_WITHDRAWN)
        return FAIL_FIELD(arena, "state", "is for the applicant to reach");
    if (state >= REGISTRY__V1__APPLICATION_STATE__APPLICATION_ACCEPTED ||
        request->state <= state)
        return FAIL(arena, FAILED_PRECONDITION,
                    "the application has come further than that already");
    return OK;
}
