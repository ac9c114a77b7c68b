#pragma once

/* What the handlers of this folder share. */

#include "common/service/call.h"
#include "services/registry/people/rules.h"

/* Who calls. */
struct person_viewer person_viewer(const struct call *call);

/* import.c */
struct status import_people(struct call *call, const Registry__V1__ImportPeopleRequest *request,
                            Registry__V1__ImportPeopleReply *reply);
