/* The life of a placement after it has been made: each step reads it, asks the rules, changes
 * what the step changes, and tells. */

#include "services/registry/placements/evaluation.h"

#include <string.h>

#include "services/registry/placements/handlers.h"
#include "services/registry/placements/rules.h"
#include "services/registry/placements/store.h"
#include "services/registry/placements/store_applications.h"
#include "services/registry/values/values.h"

#define REASON_LENGTH 500
#define SUMMARY_LENGTH 4000

/* Reads the placement of a step and asks whether it may be taken. */
static struct status
begin_step(struct call *call, const char *placement_id, enum placement_step step,
           struct placement_row *ret)
{
    struct placement_row row;

    TRY(values_id(call->arena, "placement_id", placement_id, true));
    TRY(store_placement_get(call->tx, call->arena, placement_id, &row));
    if (strcmp(row.tenant_id, call->tenant_id) != 0)
        return FAIL(call->arena, PERMISSION_DENIED, "the placement is another tenant's");
    TRY(rules_placement_step(call->arena, row.placement, step));
    *ret = row;
    return OK;
}

static struct status
end_step(struct call *call, struct placement_row *row, Registry__V1__PlacementState state,
         uint64_t expected_version, Registry__V1__Placement **ret)
{
    row->placement->state = state;
    TRY(store_placement_step(call->tx, call->arena, row, expected_version));
    TRY(placement_moved(call, row));
    *ret = row->placement;
    return placement_label(call, ret, 1);
}

struct status
approve_rationale(struct call *call, const Registry__V1__ApproveRationaleRequest *request,
                  Registry__V1__ApproveRationaleReply *reply)
{
    const char *person = call->principal->person_id;
    struct placement_row row;

    TRY(begin_step(call, request->placement_id, STEP_CHANGE, &row));

    const bool coach = *person && (strcmp(person, row.placement->academic_coach_id) == 0 ||
                                   strcmp(person, row.placement->business_coach_id) == 0);

    if (!coach && !call_has_role(call, WIRE__V1__ROLE__PARTNERSHIP_OFFICER))
        return FAIL(call->arena, PERMISSION_DENIED,
                    "the rationale is approved by a coach of the placement or an officer");
    if (!*row.placement->strategic_rationale)
        return FAIL(call->arena, FAILED_PRECONDITION, "there is no rationale to approve");
    row.placement->rationale_approved = true;
    row.placement->eligibility = REGISTRY__V1__VERDICT__OVERALL__OVERALL_UNSPECIFIED;
    TRY(store_placement_step(call->tx, call->arena, &row, request->expected_version));
    reply->placement = row.placement;
    return placement_label(call, &reply->placement, 1);
}

struct status
advertise_placement(struct call *call, const Registry__V1__AdvertisePlacementRequest *request,
                    Registry__V1__AdvertisePlacementReply *reply)
{
    struct placement_row row;

    TRY(begin_step(call, request->placement_id, STEP_ADVERTISE, &row));
    row.visibility = request->visibility;
    if (!row.visibility)
        row.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    TRY(values_visibility(call->arena, &row.visibility, request->shared_with,
                          request->n_shared_with));
    row.shared_with = request->shared_with;
    row.shared_with_count = request->n_shared_with;
    return end_step(call, &row, REGISTRY__V1__PLACEMENT_STATE__ADVERTISED,
                    request->expected_version, &reply->placement);
}

struct status
sign_contract(struct call *call, const Registry__V1__SignContractRequest *request,
              Registry__V1__SignContractReply *reply)
{
    struct placement_row row;

    TRY(begin_step(call, request->placement_id, STEP_SIGN, &row));
    return end_step(call, &row, REGISTRY__V1__PLACEMENT_STATE__CONTRACTED,
                    request->expected_version, &reply->placement);
}

struct status
start_placement(struct call *call, const Registry__V1__StartPlacementRequest *request,
                Registry__V1__StartPlacementReply *reply)
{
    Registry__V1__PlacementStarted event = REGISTRY__V1__PLACEMENT_STARTED__INIT;
    const char *started_on = request->started_on;
    struct placement_row row;

    TRY(begin_step(call, request->placement_id, STEP_START, &row));
    TRY(rules_placement_past(call->arena, "started_on", clock_wall(call->clock), "",
                             &started_on));
    row.placement->started_on = started_on;
    TRY(end_step(call, &row, REGISTRY__V1__PLACEMENT_STATE__STARTED, request->expected_version,
                 &reply->placement));
    event.placement_id = row.placement->placement_id;
    return call_emit(call, placement_event(&row, &event.base));
}

struct status
record_review(struct call *call, const Registry__V1__RecordReviewRequest *request,
              Registry__V1__RecordReviewReply *reply)
{
    const char *held_on = request->held_on;
    const char *summary = request->summary;
    struct placement_row row;
    const char *id;

    TRY(begin_step(call, request->placement_id, STEP_REVIEW, &row));
    TRY(rules_placement_past(call->arena, "held_on", clock_wall(call->clock),
                             row.placement->started_on, &held_on));
    TRY(rules_placement_review(call->arena, row.placement, request));
    TRY(values_text(call->arena, "summary", &summary, 0, SUMMARY_LENGTH));
    TRY(values_new_id(call->arena, call->clock, &id));
    TRY(store_review_insert(call->tx, id, request, held_on));
    return end_step(call, &row, REGISTRY__V1__PLACEMENT_STATE__MIDWAY_REVIEWED,
                    request->expected_version, &reply->placement);
}

struct status
end_placement(struct call *call, const Registry__V1__EndPlacementRequest *request,
              Registry__V1__EndPlacementReply *reply)
{
    Registry__V1__PlacementEnded event = REGISTRY__V1__PLACEMENT_ENDED__INIT;
    const char *ended_on = request->ended_on;
    struct placement_row row;

    TRY(begin_step(call, request->placement_id, STEP_END, &row));
    TRY(rules_placement_past(call->arena, "ended_on", clock_wall(call->clock),
                             row.placement->started_on, &ended_on));
    row.placement->ended_on = ended_on;
    row.placement->outcome = REGISTRY__V1__OUTCOME__OUTCOME_PENDING;
    TRY(end_step(call, &row, REGISTRY__V1__PLACEMENT_STATE__ENDED, request->expected_version,
                 &reply->placement));
    event.placement_id = row.placement->placement_id;
    return call_emit(call, placement_event(&row, &event.base));
}

struct status
record_outcome(struct call *call, const Registry__V1__RecordOutcomeRequest *request,
               Registry__V1__RecordOutcomeReply *reply)
{
    Registry__V1__PlacementOutcomeRecorded event =
        REGISTRY__V1__PLACEMENT_OUTCOME_RECORDED__INIT;
    struct placement_row row;

    TRY(begin_step(call, request->placement_id, STEP_RECORD_OUTCOME, &row));
    TRY(rules_placement_outcome(call->arena, request));
    row.placement->outcome = request->outcome;
    row.placement->offer_answer = request->offer_answer;
    row.placement->outcome_overdue = false;
    TRY(end_step(call, &row, REGISTRY__V1__PLACEMENT_STATE__OUTCOME_RECORDED,
                 request->expected_version, &reply->placement));
    event.placement_id = row.placement->placement_id;
    event.outcome = request->outcome;
    return call_emit(call, placement_event(&row, &event.base));
}

struct status
terminate_placement(struct call *call, const Registry__V1__TerminatePlacementRequest *request,
                    Registry__V1__TerminatePlacementReply *reply)
{
    const char *reason = request->reason;
    struct placement_row row;
    const char **rejected;
    size_t count;

    TRY(begin_step(call, request->placement_id, STEP_TERMINATE, &row));
    TRY(values_text(call->arena, "reason", &reason, 1, REASON_LENGTH));
    row.ended_reason = reason;
    TRY(store_application_reject_others(call->tx, call->arena, request->placement_id, "",
                                        REGISTRY__V1__APPLICATION_REASON__PLACEMENT_STOPPED,
                                        &rejected, &count));
    return end_step(call, &row, REGISTRY__V1__PLACEMENT_STATE__TERMINATED,
                    request->expected_version, &reply->placement);
}
