/* Applying to an advertised placement, deciding, answering an offer. */

#include "services/registry/placements/store_applications.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "services/registry/placements/evaluation.h"
#include "services/registry/placements/handlers.h"
#include "services/registry/placements/rules.h"
#include "services/registry/values/values.h"

#define MOTIVATION_LENGTH 4000

static struct status
tell(struct call *call, const char *application_id, const char *placement_id,
     Registry__V1__ApplicationState state)
{
    Registry__V1__ApplicationStateChanged event = REGISTRY__V1__APPLICATION_STATE_CHANGED__INIT;

    event.application_id = application_id;
    event.placement_id = placement_id;
    event.state = state;
    return call_emit(call, (struct outbox_event){.data = &event.base,
                                                 .subject = application_id,
                                                 .partition_key = placement_id});
}

struct status
apply_to_placement(struct call *call, const Registry__V1__ApplyToPlacementRequest *request,
                   Registry__V1__ApplyToPlacementReply *reply)
{
    Registry__V1__Application *application;
    const char *motivation = request->motivation;
    struct placement_row row;

    if (!*call->principal->person_id)
        return FAIL(call->arena, FAILED_PRECONDITION, "make a profile before you apply");
    TRY(values_id(call->arena, "placement_id", request->placement_id, true));
    TRY(values_text(call->arena, "motivation", &motivation, 0, MOTIVATION_LENGTH));
    TRY(store_placement_get(call->tx, call->arena, request->placement_id, &row));
    if (strcmp(row.tenant_id, call->tenant_id) != 0)
        return FAIL(call->arena, FAILED_PRECONDITION,
                    "a placement takes applications of its own tenant's profiles");
    TRY(rules_placement_step(call->arena, row.placement, STEP_APPLY));

    TRY(need(application = ARENA_NEW(call->arena, Registry__V1__Application)));
    registry__v1__application__init(application);
    TRY(values_new_id(call->arena, call->clock, &application->application_id));
    application->placement_id = request->placement_id;
    application->person_id = call->principal->person_id;
    application->motivation = motivation;
    application->state = REGISTRY__V1__APPLICATION_STATE__APPLICATION_SUBMITTED;
    application->version = 1;
    application->created_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    TRY(store_application_insert(call->tx, call->arena, application));
    TRY(tell(call, application->application_id, application->placement_id, application->state));
    reply->application = application;
    return OK;
}

/* Whose applications a caller sees: a graduate the own; a coach or a company those of their
 * placements; officers all. */
static struct status
visible_person(struct call *call, const Registry__V1__Placement *placement, const char **ret)
{
    const char *person = call->principal->person_id;
    const bool coach = *person && (strcmp(person, placement->academic_coach_id) == 0 ||
                                   strcmp(person, placement->business_coach_id) == 0);
    const bool host =
        *call->principal->organisation_id &&
        strcmp(call->principal->organisation_id, placement->host_organisation_id) == 0;

    *ret = "";
    if (call_has_role(call, WIRE__V1__ROLE__PARTNERSHIP_OFFICER) ||
        call_has_role(call, WIRE__V1__ROLE__OPERATOR) || coach || host)
        return OK;
    if (!*person || !call_has_role(call, WIRE__V1__ROLE__GRADUATE))
        return FAIL(call->arena, PERMISSION_DENIED, "these applications are not yours to see");
    *ret = person;
    return OK;
}

struct status
list_applications(struct call *call, const Registry__V1__ListApplicationsRequest *request,
                  Registry__V1__ListApplicationsReply *reply)
{
    const char *ignored, *after, *person, *listing;
    struct placement_row row;
    uint32_t limit;

    TRY(values_id(call->arena, "placement_id", request->placement_id, true));
    TRY(values_page_size(call->arena, request->page_size, &limit));
    TRY(store_placement_get(call->tx, call->arena, request->placement_id, &row));
    TRY(visible_person(call, row.placement, &person));
    TRY(need(listing = arena_printf(call->arena, "applications\n%s\n%s", request->placement_id,
                                    person)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &after));
    TRY(store_application_list(call->tx, call->arena, request->placement_id, after, person,
                               limit + 1, &reply->applications, &reply->n_applications));
    if (reply->n_applications <= limit)
        return OK;
    reply->n_applications = limit;
    return cursor_make(call->arena, call->tenant_id, listing, "",
                       reply->applications[limit - 1]->application_id, &reply->next_page_token);
}

struct status
decide_application(struct call *call, const Registry__V1__DecideApplicationRequest *request,
                   Registry__V1__DecideApplicationReply *reply)
{
    Registry__V1__Application *application;
    struct placement_row row;

    TRY(values_id(call->arena, "application_id", request->application_id, true));
    TRY(store_application_get(call->tx, call->arena, request->application_id, &application));
    TRY(rules_application_decision(call->arena, application->state, request));
    TRY(store_placement_get(call->tx, call->arena, application->placement_id, &row));
    TRY(rules_placement_step(call->arena, row.placement, STEP_SELECT));
    application->state = request->state;
    application->reason = request->reason;
    application->reviewed_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    TRY(store_application_decide(call->tx, call->arena, application,
                                 request->expected_version));
    TRY(tell(call, application->application_id, application->placement_id, application->state));
    reply->application = application;
    return OK;
}

static struct status
reject_others(struct call *call, const Registry__V1__Application *chosen)
{
    const char **ids;
    size_t count;

    TRY(store_application_reject_others(
        call->tx, call->arena, chosen->placement_id, chosen->application_id,
        REGISTRY__V1__APPLICATION_REASON__OTHER_CANDIDATE_CHOSEN, &ids, &count));
    for (size_t i = 0; i < count; i++)
        TRY(tell(call, ids[i], chosen->placement_id,
                 REGISTRY__V1__APPLICATION_STATE__APPLICATION_REJECTED));
    return OK;
}

/* The applicant becomes the associate, if the placement is eligible with this person. */
static struct status
select_associate(struct call *call, const Registry__V1__Application *application,
                 Registry__V1__Placement **ret)
{
    const Registry__V1__PlacementState selected =
        REGISTRY__V1__PLACEMENT_STATE__ASSOCIATE_SELECTED;
    Registry__V1__Verdict *verdict;
    struct placement_row row;

    TRY(store_placement_get(call->tx, call->arena, application->placement_id, &row));
    TRY(rules_placement_step(call->arena, row.placement, STEP_SELECT));
    row.placement->associate_id = application->person_id;
    TRY(evaluate_placement_as(call, &row, selected, REGISTRY__V1__VERDICT__MODE__SUBMISSION,
                              &verdict));
    TRY(evaluation_allows(call->arena, verdict));
    row.placement->state = selected;
    TRY(store_placement_step(call->tx, call->arena, &row, row.placement->version));
    TRY(placement_moved(call, &row));
    TRY(reject_others(call, application));
    *ret = row.placement;
    return placement_label(call, ret, 1);
}

struct status
answer_offer(struct call *call, const Registry__V1__AnswerOfferRequest *request,
             Registry__V1__AnswerOfferReply *reply)
{
    Registry__V1__Application *application;
    struct placement_row row;

    TRY(values_id(call->arena, "application_id", request->application_id, true));
    TRY(store_application_get(call->tx, call->arena, request->application_id, &application));
    if (strcmp(application->person_id, call->principal->person_id) != 0)
        return FAIL(call->arena, NOT_FOUND, "there is no application %s of yours",
                    request->application_id);
    if (request->accept &&
        application->state != REGISTRY__V1__APPLICATION_STATE__APPLICATION_OFFERED)
        return FAIL(call->arena, FAILED_PRECONDITION, "nothing has been offered yet");
    if (application->state >= REGISTRY__V1__APPLICATION_STATE__APPLICATION_ACCEPTED)
        return FAIL(call->arena, FAILED_PRECONDITION, "the application is closed");

    application->state = request->accept
                             ? REGISTRY__V1__APPLICATION_STATE__APPLICATION_ACCEPTED
                             : REGISTRY__V1__APPLICATION_STATE__APPLICATION_WITHDRAWN;
    application->reason = request->accept
                              ? REGISTRY__V1__APPLICATION_REASON__APPLICATION_REASON_UNSPECIFIED
                              : REGISTRY__V1__APPLICATION_REASON__APPLICANT_DECLINED;
    TRY(store_application_decide(call->tx, call->arena, application,
                                 request->expected_version));
    TRY(tell(call, application->application_id, application->placement_id, application->state));
    reply->application = application;
    if (request->accept)
        return select_associate(call, application, &reply->placement);
    TRY(store_placement_get(call->tx, call->arena, application->placement_id, &row));
    reply->placement = row.placement;
    return placement_label(call, &reply->placement, 1);
}
