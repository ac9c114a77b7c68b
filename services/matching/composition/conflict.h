#pragma once

/* Why there is no set: rules that cannot be met together, none of which can be left out.
 *
 * Deletion filter (Chinneck and Dravnieks 1991): each rule in turn is left out, for good when
 * there is still no set. What remains is a conflict that is minimal: without any one of its
 * rules there would be a set, as far as the others of it go. */

#include "services/matching/composition/composer.h"

#define CONFLICT_RULES_MAX POOL_ROWS_MAX

/* What a rule asks of the pool. */
struct conflict_rule {
    uint64_t rows; /* bits */
    bool classes;  /* the count of classes */
    bool groups;   /* at most one of a group */
};

struct conflict {
    bool in[CONFLICT_RULES_MAX]; /* by rule */
    bool minimal;                /* false: the deadline left some rule untried */
};

/* `ask` is the question that had provably no answer; costs do not matter.  RESOURCE_EXHAUSTED.
 */
must_use struct status conflict_find(struct arena *arena, const struct composer_ask *ask,
                                     const struct conflict_rule *rules, size_t rule_count,
                                     struct conflict *ret);
