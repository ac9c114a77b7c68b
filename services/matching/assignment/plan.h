#pragma once

/* What of an instance counts in one run of a solver: pairs and optional topics are tried. */

#include "services/matching/assignment/instance.h"

struct assignment_plan {
    uint32_t
        *only;    /* by student: the one choice that counts, or ASSIGNMENT_NONE: all of them */
    bool *closed; /* by topic */
};

/* The choices of a student that count: positions `first` up to `end` of its list. */
static inline void
plan_range(const struct assignment_plan *plan, const struct assignment_student *row,
           uint32_t student, uint32_t *ret_first, uint32_t *ret_end)
{
    const uint32_t only = plan->only[student];

    *ret_first = only == ASSIGNMENT_NONE ? 0 : only;
    *ret_end = only == ASSIGNMENT_NONE ? row->count : only + 1;
}
