#include "services/registry/placements/handlers.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "services/registry/concepts/skills.h"
#include "services/registry/placements/evaluation.h"
#include "services/registry/placements/placements.h"
#include "services/registry/placements/rules.h"
#include "services/registry/placements/store.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/registry.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

#define DEFAULT_PROGRAMME "KTP-SE"

/* The tenant's home organisation is the partner unless others are named. */
static struct status
default_partner(struct call *call, Registry__V1__Placement *placement)
{
    const char **ids;

    if (placement->n_hei_organisation_ids > 0)
        return OK;
    TRY(need(ids = ARENA_ARRAY(call->arena, const char *, 1)));
    TRY(store_placement_home(call->tx, call->arena, &ids[0]));
    placement->hei_organisation_ids = ids;
    placement->n_hei_organisation_ids = *ids[0] ? 1 : 0;
    return OK;
}

static struct status
create_placement(struct call *call, const Registry__V1__CreatePlacementRequest *request,
                 Registry__V1__CreatePlacementReply *reply)
{
    const struct registry_state *registry = call->state;
    Registry__V1__Placement *placement;

    TRY(need(placement = ARENA_NEW(call->arena, Registry__V1__Placement)));
    registry__v1__placement__init(placement);
    resource_from_request(&request->base, &placement->base);
    if (!*placement->programme_code)
        placement->programme_code = DEFAULT_PROGRAMME;
    if (!programmes_find(registry->programmes, placement->programme_code, 0,
                         programmes_day(clock_wall(call->clock))))
        return FAIL_FIELD(call->arena, "programme_code", "there is no programme %.40s",
                          placement->programme_code);
    TRY(rules_placement(call->arena, placement));
    if (*placement->need_id)
        TRY(store_placement_from_need(call->tx, call->arena, placement));
    TRY(default_partner(call, placement));
    TRY(skills_require(call->tx, call->arena, call->lang, "skills", placement->skills,
                       placement->n_skills));
    TRY(values_new_id(call->arena, call->clock, &placement->placement_id));
    placement->state = REGISTRY__V1__PLACEMENT_STATE__DRAFTED;
    placement->version = 1;
    placement->created_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    TRY(store_placement_insert(call->tx, call->arena, placement));
    reply->placement = placement;
    return OK;
}

/* A graduate sees what is advertised and the own placement. */
static bool
only_graduate(const struct call *call)
{
    return call->principal->n_roles == 1 && call_has_role(call, WIRE__V1__ROLE__GRADUATE);
}

static struct status
get_placement(struct call *call, const Registry__V1__GetPlacementRequest *request,
              Registry__V1__GetPlacementReply *reply)
{
    struct placement_row row;

    TRY(values_id(call->arena, "placement_id", request->placement_id, true));
    TRY(store_placement_get(call->tx, call->arena, request->placement_id, &row));
    if (only_graduate(call) &&
        row.placement->state != REGISTRY__V1__PLACEMENT_STATE__ADVERTISED &&
        strcmp(row.placement->associate_id, call->principal->person_id) != 0)
        return FAIL(call->arena, NOT_FOUND, "there is no placement %s", request->placement_id);
    reply->placement = row.placement;
    return placement_label(call, &reply->placement, 1);
}

static struct status
list_placements(struct call *call, const Registry__V1__ListPlacementsRequest *request,
                Registry__V1__ListPlacementsReply *reply)
{
    static const char nobody[] = "00000000-0000-0000-0000-000000000000";
    struct placement_filter filter = {.state = (int)request->state,
                                      .host_organisation_id = request->host_organisation_id,
                                      .graduate_id = ""};
    const char *ignored, *listing;
    uint32_t limit;

    if (only_graduate(call))
        filter.graduate_id = *call->principal->person_id ? call->principal->person_id : nobody;
    TRY(values_enum(call->arena, "state", &registry__v1__placement_state__descriptor,
                    filter.state, false));
    TRY(values_id(call->arena, "host_organisation_id", filter.host_organisation_id, false));
    TRY(values_page_size(call->arena, request->page_size, &limit));
    TRY(need(listing = arena_printf(call->arena, "placements\n%d\n%s\n%s", filter.state,
                                    filter.host_organisation_id, filter.graduate_id)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &filter.before_id));
    filter.limit = limit + 1;
    TRY(store_placement_list(call->tx, call->arena, &filter, &reply->placements,
                             &reply->n_placements));
    if (reply->n_placements > limit) {
        reply->n_placements = limit;
        TRY(cursor_make(call->arena, call->tenant_id, listing, "",
                        reply->placements[limit - 1]->placement_id, &reply->next_page_token));
    }
    return placement_label(call, reply->placements, reply->n_placements);
}

static bool
names_rationale(const Registry__V1__UpdatePlacementRequest *request)
{
    for (size_t i = 0; i < request->n_update_fields; i++)
        if (strcmp(request->update_fields[i], "strategic_rationale") == 0)
            return true;
    return false;
}

static struct status
update_placement(struct call *call, const Registry__V1__UpdatePlacementRequest *request,
                 Registry__V1__UpdatePlacementReply *reply)
{
    struct placement_row row;

    TRY(values_id(call->arena, "placement_id", request->placement_id, true));
    TRY(store_placement_get(call->tx, call->arena, request->placement_id, &row));
    if (strcmp(row.tenant_id, call->tenant_id) != 0)
        return FAIL(call->arena, PERMISSION_DENIED, "the placement is another tenant's");
    TRY(rules_placement_step(call->arena, row.placement, STEP_CHANGE));
    TRY(resource_apply(call->arena, &request->base, request->update_fields,
                       request->n_update_fields, &row.placement->base));
    TRY(rules_placement(call->arena, row.placement));
    TRY(skills_require(call->tx, call->arena, call->lang, "skills", row.placement->skills,
                       row.placement->n_skills));
    if (names_rationale(request))
        row.placement->rationale_approved = false; /* what was approved is no longer there */
    row.placement->eligibility = REGISTRY__V1__VERDICT__OVERALL__OVERALL_UNSPECIFIED;
    row.placement->state = REGISTRY__V1__PLACEMENT_STATE__DRAFTED;
    TRY(store_placement_update(call->tx, call->arena, row.placement,
                               request->expected_version));
    reply->placement = row.placement;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Placements_Service, handler, Registry__V1__##Name##Request,       \
               Registry__V1__##Name##Reply)

METHOD(create_placement, CreatePlacement)
METHOD(get_placement, GetPlacement)
METHOD(list_placements, ListPlacements)
METHOD(update_placement, UpdatePlacement)
METHOD(approve_rationale, ApproveRationale)
METHOD(evaluate_placement, EvaluatePlacement)
METHOD(list_verdicts, ListVerdicts)
METHOD(advertise_placement, AdvertisePlacement)
METHOD(apply_to_placement, ApplyToPlacement)
METHOD(list_applications, ListApplications)
METHOD(decide_application, DecideApplication)
METHOD(answer_offer, AnswerOffer)
METHOD(sign_contract, SignContract)
METHOD(start_placement, StartPlacement)
METHOD(record_review, RecordReview)
METHOD(end_placement, EndPlacement)
METHOD(record_outcome, RecordOutcome)
METHOD(terminate_placement, TerminatePlacement)

static Registry__V1__Placements_Service service = REGISTRY__V1__PLACEMENTS__INIT(rpc_);
const ProtobufCService *const placements_service = &service.base;
