#pragma once

/* Student-oriented deferred acceptance (Gale and Shapley 1962, one proposal at a time as
 * McVitie and Wilson 1971) over nested limits: a unit without room keeps the best claims.  With
 * strict orders the result does not depend on the order of proposals, and every student gets
 * the best that any stable assignment gives.
 *
 * Time: proposals times levels times log(capacity).  Memory: 8 bytes for each place that can be
 * taken, in each level, and 24 for each student.
 */

#include "services/matching/assignment/plan.h"

struct deferred;

/* Lives in `arena`; the instance must outlive it. */
must_use struct status deferred_create(const struct assignment_instance *instance,
                                       const struct assignment_lottery *lottery,
                                       struct arena *arena, struct deferred **ret);

/* Assigns; may be called again with another plan.  `topic` is by student. */
void deferred_run(struct deferred *deferred, const struct assignment_plan *plan,
                  uint32_t *topic);
