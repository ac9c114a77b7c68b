#pragma once

/* Assignments that are best for a profile of ranks, by minimum-cost flow: one student after the
 * other is put in along a shortest augmenting path (Dijkstra with potentials; Edmonds and Karp
 * 1972), at worst instead of somebody else.  The objectives as by Kwanashie, Irving, Manlove
 * and Sng, Profile-based optimal matchings in the student/project allocation problem (2014).
 *
 * Time: students times (choices log nodes) at worst, usually far less.  Memory: 200 bytes for
 * each student and unit.
 */

#include "services/matching/assignment/plan.h"

struct flow;

/* Lives in `arena`; the instance must outlive it.  INVALID_ARGUMENT: a list has more choices
 * than a profile of so many students can tell apart. */
must_use struct status flow_create(const struct assignment_instance *instance,
                                   const struct assignment_lottery *lottery,
                                   struct arena *arena, struct flow **ret);

/* Assigns by the instance's objective; may be called again.  `topic` is by student. */
void flow_run(struct flow *flow, const struct assignment_plan *plan, uint32_t *topic);
