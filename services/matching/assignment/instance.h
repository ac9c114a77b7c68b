#pragma once

/* A cohort to be assigned: students, topics, and the limits above topics.
 *
 * Limits are nested: a topic lies in at most one supervisor's quota, that in at most one
 * company's limit, that in at most one campus's.  Each is a *unit*; the units of one tree
 * compare students by rank, equal ranks by lottery.  So the choice of a tree is greedy over a
 * laminar family, and a stable assignment exists always (Huang, Classified stable matching,
 * SODA 2010); with topics and supervisors alone this is SPA-S (Abraham, Irving and Manlove, Two
 * algorithms for the student-project allocation problem, J. Discrete Algorithms 5, 2007), with
 * topics alone hospitals/residents.
 *
 * The library around this header is pure: no clock, no I/O, no log.  One thread at a time works
 * on one instance.  The same instance with the same seed gives the same result everywhere.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define ASSIGNMENT_NONE UINT32_MAX
/* Topic, supervisor, company, campus. */
#define ASSIGNMENT_LEVELS 4

/* Limits of one instance.  Their product with the sizes of the tables keeps memory under 1 GiB.
 */
#define ASSIGNMENT_STUDENTS_MAX 1000000u
#define ASSIGNMENT_UNITS_MAX 1000000u
#define ASSIGNMENT_CHOICES_MAX 20000000u
#define ASSIGNMENT_RANK_MAX 0xFFFFFFF0u

enum assignment_objective {
    ASSIGNMENT_STABLE,       /* student-optimal, no blocking pair */
    ASSIGNMENT_RANK_MAXIMAL, /* most first choices, then most second choices, ... */
    ASSIGNMENT_GREEDY,       /* of the largest, the rank-maximal */
    ASSIGNMENT_GENEROUS,     /* of the largest, fewest last choices, then last but one, ... */
    ASSIGNMENT_LEAST_TOTAL,  /* of the largest, the least sum of ranks */
};

/* Units 0 to topic_count - 1 are the topics.  A parent stands behind its children. */
struct assignment_unit {
    uint32_t parent;   /* ASSIGNMENT_NONE: no limit above */
    uint32_t capacity; /* students; 0 is allowed */
};

struct assignment_topic {
    uint32_t least; /* students without whom it does not run; 0: runs with any number */
    bool optional;  /* closed when fewer came; otherwise the shortfall is only told */
};

struct assignment_choice {
    uint32_t topic;
    uint32_t rank; /* of the student for the topic's side; 0 is best */
};

struct assignment_student {
    uint32_t first, count; /* choices, best first; none: did not vote */
    uint32_t pinned;       /* topic, or ASSIGNMENT_NONE */
    uint32_t partner;      /* the other student of a pair, or ASSIGNMENT_NONE */
};

struct assignment_instance {
    const struct assignment_unit *units;
    const struct assignment_topic *topics;
    const struct assignment_student *students;
    const struct assignment_choice *choices;
    uint32_t unit_count, topic_count, student_count, choice_count;
    enum assignment_objective objective;
    uint64_t seed;
    bool fill; /* who is left, and who did not vote, gets what nobody wanted */
};

/* Whether it is one.  INVALID_ARGUMENT names the entry at fault: "students[3].choices[1]". */
must_use struct status assignment_check(const struct assignment_instance *instance,
                                        struct arena *arena);

/* The lottery: a permutation of the students drawn from the seed.  Lower numbers win. */
struct assignment_lottery {
    uint32_t *number; /* by student */
    uint32_t *order;  /* by number */
};

must_use struct status assignment_draw(const struct assignment_instance *instance,
                                       struct arena *arena, struct assignment_lottery *ret);

/* How the topic's side orders a student's claim: less is better, no two students are equal.
 * `rank` is a choice's, or ASSIGNMENT_RANK_MAX for a topic that was not chosen. */
static inline uint64_t
assignment_claim(uint32_t rank, uint32_t number)
{
    return ((uint64_t)rank + 1) << 32 | number;
}

/* The student's position in its own list at which `topic` stands, or ASSIGNMENT_NONE. */
uint32_t assignment_position(const struct assignment_instance *instance, uint32_t student,
                             uint32_t topic);

/* The first unit on the way up from `topic` that has no room left, or ASSIGNMENT_NONE. */
uint32_t assignment_full(const struct assignment_instance *instance, const uint32_t *load,
                         uint32_t topic);
/* Counts one more in the topic and everything above it. */
void assignment_load(const struct assignment_instance *instance, uint32_t *load,
                     uint32_t topic);
