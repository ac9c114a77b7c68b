#pragma once

/* What a need must be like, which step may follow which, and who sees it.  Pure: no I/O, no
 * clock. */

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/needs.pb-c.h"

/* Checks and normalises the whole.  INVALID_ARGUMENT names the field. */
must_use struct status rules_need(struct arena *arena, Registry__V1__Need *need_);

/* The last day of a need that is published: 180 days from `today` when none is given.
 * INVALID_ARGUMENT: it is over. */
must_use struct status rules_need_last_day(struct arena *arena, const char *today,
                                           Registry__V1__Need *need_);

/* FAILED_PRECONDITION: the need is not in a state from which `step` may be taken. */
enum need_step { NEED_STEP_CHANGE, NEED_STEP_PUBLISH, NEED_STEP_CLOSE };
must_use struct status rules_need_step(struct arena *arena, const Registry__V1__Need *need_,
                                       enum need_step step);

/* Who looks. */
struct need_viewer {
    const char *contact_for; /* not "": only this organisation's needs, and public ones */
    bool published_only;
};
bool rules_need_may_see(const struct need_viewer *viewer, const Registry__V1__Need *need_);
