#include "services/registry/organisations/owner.h"

#include <string.h>

#include "services/registry/organisations/rules.h"
#include "services/registry/organisations/store.h"
#include "services/registry/values/values.h"

#define NOBODY "00000000-0000-0000-0000-000000000000"

struct status
owner_find(struct call *call, const char *organisation_id,
           const Registry__V1__Organisation **ret)
{
    struct organisation_row row;
    struct status status;

    TRY(values_id(call->arena, "organisation_id", organisation_id, true));
    status = store_organisation_get(call->tx, call->arena, organisation_id, &row);
    if (status.code == CODE_NOT_FOUND) {
        status.code = CODE_FAILED_PRECONDITION;
        status.field = "organisation_id";
    }
    TRY(status);
    *ret = row.organisation;
    return OK;
}

static bool
acts_for_all(const struct call *call)
{
    return call_has_role(call, WIRE__V1__ROLE__PARTNERSHIP_OFFICER) ||
           call_has_role(call, WIRE__V1__ROLE__OPERATOR);
}

struct status
owner_may_act(const struct call *call, const char *organisation_id)
{
    if (acts_for_all(call) || (*call->principal->organisation_id &&
                               strcmp(call->principal->organisation_id, organisation_id) == 0))
        return OK;
    return FAIL(call->arena, PERMISSION_DENIED,
                "a company contact acts for the own organisation only");
}

const char *
owner_contact_for(const struct call *call)
{
    bool contact = false;

    for (size_t i = 0; i < call->principal->n_roles; i++) {
        const Wire__V1__Role role = call->principal->roles[i];

        contact |= role == WIRE__V1__ROLE__COMPANY_CONTACT;
        if (role != WIRE__V1__ROLE__COMPANY_CONTACT && role != WIRE__V1__ROLE__GRADUATE &&
            role != WIRE__V1__ROLE__STUDENT)
            return "";
    }
    if (!contact)
        return "";
    return *call->principal->organisation_id ? call->principal->organisation_id : NOBODY;
}

void
owner_describe(const Registry__V1__Organisation *organisation, struct outbox_event *event)
{
    event->organisation_type = rules_organisation_type_word(organisation->type);
    event->nace = organisation->nace;
    if (!event->nuts || !*event->nuts)
        event->nuts = organisation->nuts;
}
