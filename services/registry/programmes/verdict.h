#pragma once

/* What an evaluation says, without any language: codes, values and rule ids. */

#include "services/registry/programmes/rule_set.h"

#define RULE_VALUES 16

/* The numbers are the contract's. */
enum rule_outcome {
    RULE_PASS = 1,
    RULE_FAIL = 2,
    RULE_UNKNOWN = 3,
    RULE_WAIVED = 4,
    RULE_NOT_APPLICABLE = 5,
};
enum rule_overall {
    RULE_ELIGIBLE = 1,
    RULE_ELIGIBLE_WITH_WAIVER = 2,
    RULE_INCOMPLETE = 3,
    RULE_INELIGIBLE = 4,
};
enum rule_mode { RULE_DRAFT = 1, RULE_SUBMISSION = 2 };

enum rule_value_kind {
    RULE_VALUE_TEXT = 1,
    RULE_VALUE_NUMBER = 2,
    RULE_VALUE_RATIO = 3,
    RULE_VALUE_PERCENT = 4,
    RULE_VALUE_DATE = 5,
    RULE_VALUE_SPAN = 6,
    RULE_VALUE_MONEY = 7,
    RULE_VALUE_CODES = 8,
    RULE_VALUE_FLAG = 9,
    RULE_VALUE_PATH = 10,
};

struct rule_value {
    const char *name; /* "found"; of the second check "found#1" */
    enum rule_value_kind kind;
    const char *text;
};

struct rule_result {
    const struct rule *rule;
    enum rule_outcome outcome;
    const char *reason; /* "": none */
    const char *change; /* "": none */
    size_t deciding_check;
    size_t value_count;
    const struct rule_value *values;
    bool assumed;
    const char *waiver_reason; /* "": not waived */
};

struct rule_verdict {
    const struct rule_set *set;
    enum rule_overall overall;
    enum rule_mode mode;
    const char *state;
    size_t result_count;
    const struct rule_result *results; /* one for each rule, in the set's order */
    char inputs_hash[RULE_HASH_SIZE];
};

/* Evaluates all rules.  No I/O, no clock: `today` decides which waivers are in force.  The
 * verdict lives in `arena` and refers to `set`. INVALID_ARGUMENT: the case names an unknown
 * state, rule or parameter, or is too large. */
must_use struct status rule_evaluate(const struct rule_set *set, const struct rule_case *facts,
                                     enum rule_mode mode, struct rule_date today,
                                     struct arena *arena, struct rule_verdict *ret);
