#pragma once

/* The vocabulary of constraints, shared by all who read rule sets: the checker evaluates them,
 * a composer or finder reads their kind and parameters.
 *
 * To add one: its parameters, changes and values in vocabulary.c, its evaluator in a
 * constraint_*.c, its labels in labels.def. */

#include "services/registry/programmes/rule_set.h"
#include "services/registry/programmes/verdict.h"

enum param_kind {
    PARAM_INTEGER,
    PARAM_INTEGERS,
    PARAM_RATIO, /* kept in thousandths */
    PARAM_CODE,  /* a labelled word */
    PARAM_CODES,
    PARAM_KINDS, /* organisation types */
    PARAM_TEXTS, /* as they stand: NUTS codes, ids */
};

struct param_spec {
    const char *name; /* NULL ends a list */
    enum param_kind kind;
    bool required;
    int64_t min, max;         /* integers */
    const char *const *words; /* CODE: only these, NULL at the end; NULL: any labelled word */
};

/* What would make a check pass; each needs a remedy text. */
struct change_spec {
    const char *name;
    const char *param; /* only with this parameter; NULL: always */
};

/* A value that an evaluator looks at. */
struct value_spec {
    const char *name;
    const char *change; /* only with this change; NULL: whenever it passes or fails */
    const char *param;  /* only with this parameter; NULL: always */
};

/* What an evaluator sees and says. */
struct finding {
    struct arena *arena;
    const struct rule_set *set;
    const struct rule_check *check; /* with the call's overrides */
    const struct rule_case *facts;
    enum rule_outcome outcome;
    const char *reason;
    const char *change;
    size_t value_count;
    struct rule_value values[RULE_VALUES];
    size_t missing_count;
    const char *missing[RULE_VALUES];
    bool broken; /* the arena is full */
};

struct constraint {
    const char *name;
    void (*evaluate)(struct finding *finding);
    const struct param_spec *params;
    const struct change_spec *changes;
    const struct value_spec *values;
    bool fails; /* can FAIL by more than a missing fact */
};

/* NULL: unknown. */
const struct constraint *constraint_find(const char *name);
extern const struct constraint constraints[]; /* a NULL name at the end */

/* For evaluators: one of the first four ends an evaluation, the others add values. */
void finding_pass(struct finding *finding);
void finding_fail(struct finding *finding, const char *change);
void finding_not_applicable(struct finding *finding, const char *reason);
void finding_missing(struct finding *finding, const char *fact); /* may be called repeatedly */
void finding_missing_of(struct finding *finding, const char *object, const char *fact);
void finding_text(struct finding *finding, const char *name, const char *text);
void finding_number(struct finding *finding, const char *name, int64_t value);
void finding_as(struct finding *finding, const char *name, enum rule_value_kind kind,
                int64_t value); /* RATIO, PERCENT, FLAG */
void finding_date(struct finding *finding, const char *name, struct rule_date date);
void finding_span(struct finding *finding, const char *name, struct rule_span span);
void finding_money(struct finding *finding, const char *name, int64_t minor,
                   const char *currency);
void finding_list(struct finding *finding, const char *name, enum rule_value_kind kind,
                  const char *const *items, size_t count); /* CODES, PATH */

static inline const struct rule_param *
finding_param(const struct finding *finding, const char *name)
{
    return rule_check_param(finding->check, name);
}

/* The word of a CODE parameter. */
static inline const char *
finding_code(const struct finding *finding, const char *name)
{
    const struct rule_param *param = finding_param(finding, name);

    return param->given ? param->texts.items[0] : NULL;
}
