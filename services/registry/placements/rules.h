#pragma once

/* What a placement must be like, and which step may follow which.  Pure: no I/O, no clock. */

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "registry/v1/placements.pb-c.h"

/* Checks the shape and trims; whether it is eligible is for the rule set to say.
 * INVALID_ARGUMENT names the field. */
must_use struct status rules_placement(struct arena *arena, Registry__V1__Placement *placement);

/* FAILED_PRECONDITION: `placement` is not in a state from which `step` may be taken. */
enum placement_step {
    STEP_CHANGE,
    STEP_ADVERTISE,
    STEP_APPLY,
    STEP_SELECT,
    STEP_SIGN,
    STEP_START,
    STEP_REVIEW,
    STEP_END,
    STEP_RECORD_OUTCOME,
    STEP_TERMINATE,
};
must_use struct status rules_placement_step(struct arena *arena,
                                            const Registry__V1__Placement *placement,
                                            enum placement_step step);

/* A date of something that has happened: "" becomes today; not in the future, and not before
 * `not_before` (unless that is ""). */
must_use struct status rules_placement_past(struct arena *arena, const char *field,
                                            struct wall now, const char *not_before,
                                            const char **date);

must_use struct status
rules_placement_outcome(struct arena *arena, const Registry__V1__RecordOutcomeRequest *request);

/* Both coaches are there, nobody twice. */
must_use struct status rules_placement_review(struct arena *arena,
                                              const Registry__V1__Placement *placement,
                                              const Registry__V1__RecordReviewRequest *request);

/* FAILED_PRECONDITION: applications go forwards only.  INVALID_ARGUMENT: a rejection needs a
 * reason, other decisions have none. */
must_use struct status
rules_application_decision(struct arena *arena, Registry__V1__ApplicationState state,
                           const Registry__V1__DecideApplicationRequest *request);
