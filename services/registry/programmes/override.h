#pragma once

/* A call may set another number for a parameter that its rule set marks as overridable. */

#include "services/registry/programmes/rule_set.h"

/* The checks of a rule as the call of this case has them: the rule's own when nothing is
 * overridden.  ret_assumed: a number nobody gave is in use. */
must_use struct status override_checks(const struct rule *rule, const struct rule_case *facts,
                                       struct arena *arena, const struct rule_check **ret,
                                       bool *ret_assumed);

/* Every override names a rule and a parameter that may be overridden, with a fitting value.
 * INVALID_ARGUMENT otherwise. */
must_use struct status override_check(const struct rule_set *set, const struct rule_case *facts,
                                      struct arena *arena);

/* "0.5" is 500, "1" is 1000; at most three decimals.  False: it is not such a number. */
bool override_parse_ratio(const char *text, int64_t *ret);
bool override_parse_integer(const char *text, int64_t *ret);
