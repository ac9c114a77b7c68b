#pragma once

/* Values and templates in the language of a reader. */

#include "services/registry/programmes/verdict.h"

struct show {
    const struct rule_set *set; /* for labels; may be NULL */
    enum lang lang;
    struct arena *arena;
};

/* "26,7 %", "1 månad och 3 dagar", "produktutveckling och marknadsutveckling".  `joined_by_or`
 * changes the last joint of a list.  A value that is not what its kind says is shown as it
 * stands. NULL: the arena is full. */
must_use const char *show_value(const struct show *show, enum rule_value_kind kind,
                                const char *value, bool joined_by_or);

/* Fills a template with the values of check `check`.  *ret_complete: every placeholder had its
 * value.  NULL: the arena is full. */
must_use const char *show_template(const struct show *show, const char *pattern,
                                   const struct rule_value *values, size_t count, size_t check,
                                   bool *ret_complete);
