#include "registry/v1/infrastructure.pb-c.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "services/registry/concepts/skills.h"
#include "services/registry/infrastructure/infrastructure.h"
#include "services/registry/infrastructure/rules.h"
#include "services/registry/infrastructure/store.h"
#include "services/registry/organisations/owner.h"
#include "services/registry/values/profiles.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

static struct status
announce(struct call *call, const Registry__V1__Equipment *equipment,
         const Registry__V1__Organisation *owner)
{
    Registry__V1__InfrastructureListed data = REGISTRY__V1__INFRASTRUCTURE_LISTED__INIT;
    struct outbox_event event = {
        .data = &data.base, .subject = equipment->equipment_id, .nuts = equipment->nuts};

    data.equipment_id = equipment->equipment_id;
    data.organisation_id = equipment->organisation_id;
    owner_describe(owner, &event);
    TRY(skills_key(call->arena, equipment->skills, equipment->n_skills, &event.esco));
    TRY(values_audience(call->arena, equipment->visibility, equipment->shared_with,
                        equipment->n_shared_with, &event.audience));
    TRY(call_emit(call, event));
    return profiles_tell(call, PROFILE_CHANGED, "infrastructure", &equipment->equipment_id, 1);
}

static struct status
enlist_equipment(struct call *call, const Registry__V1__EnlistEquipmentRequest *request,
                 Registry__V1__EnlistEquipmentReply *reply)
{
    const Registry__V1__Organisation *owner;
    Registry__V1__Equipment *equipment;

    TRY(need(equipment = ARENA_NEW(call->arena, Registry__V1__Equipment)));
    registry__v1__equipment__init(equipment);
    resource_from_request(&request->base, &equipment->base);
    TRY(rules_equipment(call->arena, equipment));
    TRY(owner_find(call, equipment->organisation_id, &owner));
    if (!*equipment->nuts)
        equipment->nuts = owner->nuts;
    TRY(skills_require(call->tx, call->arena, call->lang, "skills", equipment->skills,
                       equipment->n_skills));
    equipment->version = 1;
    TRY(values_new_id(call->arena, call->clock, &equipment->equipment_id));
    TRY(store_equipment_insert(call->tx, call->arena, equipment));
    TRY(announce(call, equipment, owner));
    reply->equipment = equipment;
    return OK;
}

/* With whom else it is shared is for its own tenant to know. */
static void
redact(const struct call *call, const struct equipment_row *row)
{
    if (strcmp(row->tenant_id, call->tenant_id) != 0)
        row->equipment->n_shared_with = 0;
}

static struct status
find(struct call *call, const char *id, struct equipment_row *ret)
{
    struct equipment_row row;
    struct skill_list skills;

    TRY(values_id(call->arena, "equipment_id", id, true));
    TRY(store_equipment_get(call->tx, call->arena, id, &row));
    redact(call, &row);
    skills = (struct skill_list){row.equipment->skills, row.equipment->n_skills};
    TRY(skills_label(call->tx, call->arena, call->lang, &skills, 1, NULL));
    *ret = row;
    return OK;
}

static struct status
get_equipment(struct call *call, const Registry__V1__GetEquipmentRequest *request,
              Registry__V1__GetEquipmentReply *reply)
{
    struct equipment_row row;

    TRY(find(call, request->equipment_id, &row));
    reply->equipment = row.equipment;
    return OK;
}

static struct status
list_equipment(struct call *call, const Registry__V1__ListEquipmentRequest *request,
               Registry__V1__ListEquipmentReply *reply)
{
    struct equipment_filter filter = {.organisation_id = request->organisation_id};
    struct equipment_row *rows;
    struct skill_list *skills;
    const char *listing;
    size_t count;

    TRY(values_id(call->arena, "organisation_id", filter.organisation_id, false));
    TRY(values_page_size(call->arena, request->page_size, &filter.limit));
    TRY(need(listing = arena_printf(call->arena, "equipment\n%s", filter.organisation_id)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token,
                    &filter.after_name, &filter.after_id));
    filter.limit++; /* one more tells whether there is a next page */
    TRY(store_equipment_list(call->tx, call->arena, &filter, &rows, &count));
    if (count == filter.limit) {
        count--;
        TRY(cursor_make(call->arena, call->tenant_id, listing, rows[count - 1].name_sort,
                        rows[count - 1].equipment->equipment_id, &reply->next_page_token));
    }
    TRY(need(reply->equipment =
                 ARENA_ARRAY(call->arena, Registry__V1__Equipment *, count + 1)));
    TRY(need(skills = ARENA_ARRAY(call->arena, struct skill_list, count + 1)));
    for (size_t i = 0; i < count; i++) {
        redact(call, &rows[i]);
        reply->equipment[i] = rows[i].equipment;
        skills[i] = (struct skill_list){rows[i].equipment->skills, rows[i].equipment->n_skills};
    }
    reply->n_equipment = count;
    return skills_label(call->tx, call->arena, call->lang, skills, count, NULL);
}

static struct status
delist_equipment(struct call *call, const Registry__V1__DelistEquipmentRequest *request,
                 Registry__V1__DelistEquipmentReply *reply)
{
    struct equipment_row row;

    TRY(find(call, request->equipment_id, &row));
    if (strcmp(row.tenant_id, call->tenant_id) != 0)
        return FAIL(call->arena, PERMISSION_DENIED, "the equipment is another tenant's");
    TRY(rules_equipment_delist(call->arena, row.equipment));
    TRY(store_equipment_delist(call->tx, call->arena, row.equipment,
                               request->expected_version));
    TRY(profiles_tell(call, PROFILE_WITHDRAWN, "infrastructure", &row.equipment->equipment_id,
                      1));
    reply->equipment = row.equipment;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Infrastructure_Service, handler, Registry__V1__##Name##Request,   \
               Registry__V1__##Name##Reply)

METHOD(enlist_equipment, EnlistEquipment)
METHOD(get_equipment, GetEquipment)
METHOD(list_equipment, ListEquipment)
METHOD(delist_equipment, DelistEquipment)

static Registry__V1__Infrastructure_Service service = REGISTRY__V1__INFRASTRUCTURE__INIT(rpc_);
const ProtobufCService *const infrastructure_service = &service.base;
