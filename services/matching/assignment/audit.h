#pragma once

/* The audit sheet of an assignment: who got what, who would have liked and been taken
 * elsewhere, and why not.
 *
 * A student and a topic that it prefers to what it has *block* when the topic's side would take
 * it: nothing on the way up is full, or the first full unit has a claim that is no better (its
 * worst student, or the student itself on its way between two topics of that unit).  A stable
 * assignment without pins, pairs and closed topics has no blocking pair.
 */

#include "services/matching/assignment/solve.h"

/* As many blocking pairs are listed; all are counted. */
#define ASSIGNMENT_BLOCKING_MAX 1000

/* What keeps a student from a topic that it prefers. */
enum assignment_barrier {
    ASSIGNMENT_OUTRANKED, /* everybody in `unit` is ranked higher */
    ASSIGNMENT_LOTTERY,   /* the last one in `unit` has the same rank, and drew better */
    ASSIGNMENT_NO_ROOM,   /* `unit` has no room at all */
    /* The others are the causes of blocking pairs. */
    ASSIGNMENT_CLOSED,    /* the topic does not run, too few came */
    ASSIGNMENT_OWN_PIN,   /* the student is pinned */
    ASSIGNMENT_OWN_PAIR,  /* the student works with its partner */
    ASSIGNMENT_OTHER_PIN, /* somebody ranked lower is pinned in `unit` */
    ASSIGNMENT_OBJECTIVE, /* the objective is not stability */
    ASSIGNMENT_UNKNOWN,   /* none of these: the assignment is not the solver's */
    ASSIGNMENT_BARRIERS
};

struct assignment_blocking {
    uint32_t student, topic;
    enum assignment_barrier cause;
};

struct assignment_audit {
    const struct assignment_instance *instance;
    const struct assignment_result *result;
    uint32_t *load;    /* by unit */
    uint64_t *worst;   /* by unit: the worst claim held; 0: nobody is in it */
    uint32_t *profile; /* students by position of what they have in their list */
    uint32_t profile_count;
    uint64_t rank_sum;                        /* of those, 1 for a first choice */
    uint32_t voters, placed, filled, without; /* students */
    uint32_t short_topics;                    /* that run with fewer than their least */
    struct assignment_blocking *blocking;     /* by student, then by preference */
    uint32_t blocking_listed;
    uint64_t blocking_count, cause_count[ASSIGNMENT_BARRIERS];
};

/* Lives in `arena`, as long as instance and result. */
must_use struct status audit_make(const struct assignment_instance *instance,
                                  const struct assignment_result *result, struct arena *arena,
                                  struct assignment_audit *ret);

/* What keeps `student` from the topic at `position` of its list, which it must prefer to what
 * it has.  `ret_unit` is the limit that decided, or ASSIGNMENT_NONE. */
enum assignment_barrier audit_barrier(const struct assignment_audit *audit, uint32_t student,
                                      uint32_t position, uint32_t *ret_unit);

/* How many of its list's topics a student prefers to what it has. */
uint32_t audit_preferred(const struct assignment_audit *audit, uint32_t student);
