#pragma once

/* What a system must be like.  Pure but for `now`. */

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "registry/v1/systems.pb-c.h"

/* Checks and trims.  INVALID_ARGUMENT names the field. */
must_use struct status rules_system(struct arena *arena, struct wall now,
                                    Registry__V1__System *system);
