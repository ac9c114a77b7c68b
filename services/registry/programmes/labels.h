#pragma once

/* Words for codes: organisation kinds, roles, facts, values.  A rule set's own labels come
 * first. */

#include "services/registry/programmes/rule_set.h"

/* NULL: the code has no label. */
const struct text *label_find(const struct rule_set *set, const char *code);

/* The label; of "host.headcount" both labels; the code itself when there is none.
 * NULL: the arena is full. */
must_use const char *label_shown(const struct rule_set *set, const char *code, enum lang lang,
                                 struct arena *arena);
