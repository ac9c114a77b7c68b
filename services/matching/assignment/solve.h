#pragma once

/* From an instance to who works on what.
 *
 * Around the solvers (deferred.h, flow.h): pinned students come first.  A pair is tried at the
 * topics that both chose, best sum of positions first, each of the two on its own merit; a pair
 * for which no such topic is left is treated as two students.  An optional topic to which too
 * few came is closed, and all is done again without it.  Last, if the instance says so, those
 * without a place and then those who did not vote get what nobody wanted, spread evenly.
 */

#include "services/matching/assignment/instance.h"

/* So many runs of a solver are tried at most, and fewer where one is long: as many as together
 * have ASSIGNMENT_WORK_MAX students times choices when the objective is not STABLE (about ten
 * seconds), but three always.  Then pairs still waiting are separated all at once, and optional
 * topics to which too few came are closed all at once. */
#define ASSIGNMENT_RUNS_MAX 2000
#define ASSIGNMENT_WORK_MAX 500000000u

enum assignment_basis {
    ASSIGNMENT_WITHOUT,   /* no place */
    ASSIGNMENT_BY_CHOICE, /* of its own list */
    ASSIGNMENT_BY_PIN,
    ASSIGNMENT_BY_PAIR, /* of its own list, together with its partner */
    ASSIGNMENT_BY_FILL, /* a place that nobody wanted */
};

struct assignment_result {
    struct assignment_lottery lottery;
    uint32_t *topic;              /* by student, or ASSIGNMENT_NONE */
    uint32_t *position;           /* of the topic in the student's list, or ASSIGNMENT_NONE */
    enum assignment_basis *basis; /* by student */
    bool *closed;                 /* by topic */
    uint32_t runs;                /* of a solver */
};

/* Everything lives in `arena`.  INVALID_ARGUMENT: see assignment_check and flow_create. */
must_use struct status assignment_solve(const struct assignment_instance *instance,
                                        struct arena *arena, struct assignment_result *ret);
