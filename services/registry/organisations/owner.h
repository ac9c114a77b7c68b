#pragma once

/* The organisation that something belongs to: a need, a capability, equipment. */

#include "common/service/call.h"
#include "registry/v1/organisations.pb-c.h"

/* FAILED_PRECONDITION, field organisation_id: there is none. */
must_use struct status owner_find(struct call *call, const char *organisation_id,
                                  const Registry__V1__Organisation **ret);

/* Officers and operators act for every organisation, a company contact for the own one.
 * PERMISSION_DENIED. */
must_use struct status owner_may_act(const struct call *call, const char *organisation_id);

/* Whom a caller who is only a company contact speaks for (the nil UUID when nobody said); ""
 * for everybody else. */
const char *owner_contact_for(const struct call *call);

/* Fills the filter keys of an event about something of this organisation. */
void owner_describe(const Registry__V1__Organisation *organisation, struct outbox_event *event);
