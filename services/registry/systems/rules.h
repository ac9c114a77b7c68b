#pragma once

/* What a system must be like.  Pure but for `now`. */

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "registry/v1/systems.pb-c.h"

/* Bounds of SystemLimits; 0 is the deployment's default. */
#define SYSTEM_FOLLOWS_MOST 1000u
#define SYSTEM_EVENTS_MOST 1000000u  /* a second */
#define SYSTEM_APPENDS_MOST 1000000u /* a second */

/* Checks and trims; limits that are not given become all 0.  INVALID_ARGUMENT names the field.
 */
must_use struct status rules_system(struct arena *arena, struct wall now,
                                    Registry__V1__System *system);
/* FAILED_PRECONDITION: it is revoked. */
must_use struct status rules_system_may_change(struct arena *arena,
                                               const Registry__V1__System *system);
