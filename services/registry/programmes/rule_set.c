#include "services/registry/programmes/rule_set.h"

#include <assert.h>
#include <string.h>

#include "services/registry/programmes/vocabulary.h"

const struct rule *
rule_set_find(const struct rule_set *set, const char *rule_id)
{
    for (size_t i = 0; i < set->rule_count; i++) {
        if (!strcmp(set->rules[i].id, rule_id))
            return &set->rules[i];
    }
    return NULL;
}

const char *
rule_origin_word(enum rule_origin origin)
{
    switch (origin) {
    case RULE_SEED:
        return "seed";
    case RULE_EXT:
        return "ext";
    case RULE_ASSUMP:
        break;
    }
    return "assump";
}

const struct rule_param *
rule_check_param(const struct rule_check *check, const char *name)
{
    const struct param_spec *specs = check->constraint->params;
    size_t at = 0;

    while (specs[at].name && strcmp(specs[at].name, name))
        at++;
    assert(specs[at].name); /* the vocabulary and its evaluators disagree */
    return &check->params[at];
}
