#include "registry/v1/capabilities.pb-c.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "services/registry/capabilities/capabilities.h"
#include "services/registry/capabilities/rules.h"
#include "services/registry/capabilities/store.h"
#include "services/registry/concepts/skills.h"
#include "services/registry/organisations/owner.h"
#include "services/registry/values/profiles.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

static struct status
announce(struct call *call, const Registry__V1__Capability *capability,
         const Registry__V1__Organisation *owner)
{
    Registry__V1__CapabilityPublished data = REGISTRY__V1__CAPABILITY_PUBLISHED__INIT;
    struct outbox_event event = {
        .data = &data.base, .subject = capability->capability_id, .nuts = capability->nuts};

    data.capability_id = capability->capability_id;
    data.organisation_id = capability->organisation_id;
    owner_describe(owner, &event);
    TRY(skills_key(call->arena, capability->skills, capability->n_skills, &event.esco));
    TRY(values_audience(call->arena, capability->visibility, capability->shared_with,
                        capability->n_shared_with, &event.audience));
    TRY(call_emit(call, event));
    return profiles_tell(call, PROFILE_CHANGED, "capability", &capability->capability_id, 1);
}

static struct status
create_capability(struct call *call, const Registry__V1__CreateCapabilityRequest *request,
                  Registry__V1__CreateCapabilityReply *reply)
{
    const Registry__V1__Organisation *owner;
    Registry__V1__Capability *capability;
    const char *today;

    TRY(need(capability = ARENA_NEW(call->arena, Registry__V1__Capability)));
    registry__v1__capability__init(capability);
    resource_from_request(&request->base, &capability->base);
    TRY(values_today(call->arena, clock_wall(call->clock), &today));
    TRY(rules_capability(call->arena, today, capability));
    TRY(owner_may_act(call, capability->organisation_id));
    TRY(owner_find(call, capability->organisation_id, &owner));
    if (!*capability->nuts)
        capability->nuts = owner->nuts;
    TRY(skills_require(call->tx, call->arena, call->lang, "skills", capability->skills,
                       capability->n_skills));
    capability->version = 1;
    TRY(values_new_id(call->arena, call->clock, &capability->capability_id));
    TRY(store_capability_insert(call->tx, call->arena, capability));
    TRY(announce(call, capability, owner));
    reply->capability = capability;
    return OK;
}

/* With whom else it is shared is for its own tenant to know. */
static void
redact(const struct call *call, const struct capability_row *row)
{
    if (strcmp(row->tenant_id, call->tenant_id) != 0)
        row->capability->n_shared_with = 0;
}

/* A capability that the caller may see; all others do not exist. */
static struct status
find(struct call *call, const char *id, struct capability_row *ret)
{
    struct skill_list skills;
    struct capability_row row;

    TRY(values_id(call->arena, "capability_id", id, true));
    TRY(store_capability_get(call->tx, call->arena, id, &row));
    if (!rules_capability_may_see(owner_contact_for(call), row.capability))
        return FAIL(call->arena, NOT_FOUND, "there is no capability %s", id);
    redact(call, &row);
    skills = (struct skill_list){row.capability->skills, row.capability->n_skills};
    TRY(skills_label(call->tx, call->arena, call->lang, &skills, 1, NULL));
    *ret = row;
    return OK;
}

static struct status
get_capability(struct call *call, const Registry__V1__GetCapabilityRequest *request,
               Registry__V1__GetCapabilityReply *reply)
{
    struct capability_row row;

    TRY(find(call, request->capability_id, &row));
    reply->capability = row.capability;
    return OK;
}

static struct status
list_capabilities(struct call *call, const Registry__V1__ListCapabilitiesRequest *request,
                  Registry__V1__ListCapabilitiesReply *reply)
{
    struct capability_filter filter = {.organisation_id = request->organisation_id,
                                       .contact_for = owner_contact_for(call)};
    const char *ignored, *listing;
    struct capability_row *rows;
    struct skill_list *skills;
    size_t count;

    TRY(values_id(call->arena, "organisation_id", filter.organisation_id, false));
    TRY(values_page_size(call->arena, request->page_size, &filter.limit));
    TRY(need(listing = arena_printf(call->arena, "capabilities\n%s\n%s", filter.organisation_id,
                                    filter.contact_for)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &filter.before_id));
    filter.limit++; /* one more tells whether there is a next page */
    TRY(store_capability_list(call->tx, call->arena, &filter, &rows, &count));
    if (count == filter.limit) {
        count--;
        TRY(cursor_make(call->arena, call->tenant_id, listing, "",
                        rows[count - 1].capability->capability_id, &reply->next_page_token));
    }
    TRY(need(reply->capabilities =
                 ARENA_ARRAY(call->arena, Registry__V1__Capability *, count + 1)));
    TRY(need(skills = ARENA_ARRAY(call->arena, struct skill_list, count + 1)));
    for (size_t i = 0; i < count; i++) {
        redact(call, &rows[i]);
        reply->capabilities[i] = rows[i].capability;
        skills[i] =
            (struct skill_list){rows[i].capability->skills, rows[i].capability->n_skills};
    }
    reply->n_capabilities = count;
    return skills_label(call->tx, call->arena, call->lang, skills, count, NULL);
}

static struct status
withdraw_capability(struct call *call, const Registry__V1__WithdrawCapabilityRequest *request,
                    Registry__V1__WithdrawCapabilityReply *reply)
{
    struct capability_row row;

    TRY(find(call, request->capability_id, &row));
    if (strcmp(row.tenant_id, call->tenant_id) != 0)
        return FAIL(call->arena, PERMISSION_DENIED, "the capability is another tenant's");
    TRY(owner_may_act(call, row.capability->organisation_id));
    TRY(rules_capability_withdraw(call->arena, row.capability));
    TRY(store_capability_withdraw(call->tx, call->arena, row.capability,
                                  request->expected_version));
    TRY(profiles_tell(call, PROFILE_WITHDRAWN, "capability", &row.capability->capability_id,
                      1));
    reply->capability = row.capability;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Capabilities_Service, handler, Registry__V1__##Name##Request,     \
               Registry__V1__##Name##Reply)

METHOD(create_capability, CreateCapability)
METHOD(get_capability, GetCapability)
METHOD(list_capabilities, ListCapabilities)
METHOD(withdraw_capability, WithdrawCapability)

static Registry__V1__Capabilities_Service service = REGISTRY__V1__CAPABILITIES__INIT(rpc_);
const ProtobufCService *const capabilities_service = &service.base;
