#include "services/registry/programmes/override.h"

#include <ctype.h>
#include <string.h>

#include "services/registry/programmes/vocabulary.h"

/* Digits only; at most 15, so that nothing overflows. */
static bool
parse_digits(const char *text, size_t size, int64_t *ret)
{
    int64_t value = 0;

    if (!size || size > 15)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *ret = value;
    return true;
}

bool
override_parse_integer(const char *text, int64_t *ret)
{
    return text && parse_digits(text, strlen(text), ret);
}

bool
override_parse_ratio(const char *text, int64_t *ret)
{
    const char *point = text ? strchr(text, '.') : NULL;
    int64_t whole, decimals = 0;

    if (!text || !parse_digits(text, point ? (size_t)(point - text) : strlen(text), &whole) ||
        whole > 1000000)
        return false;
    if (point) {
        const size_t size = strlen(point + 1);
        if (size > 3 || !parse_digits(point + 1, size, &decimals))
            return false;
        for (size_t i = size; i < 3; i++)
            decimals *= 10;
    }
    *ret = whole * 1000 + decimals;
    return true;
}

static bool
parse(const struct param_spec *spec, const char *text, int64_t *ret)
{
    int64_t value;

    if (spec->kind == PARAM_RATIO ? !override_parse_ratio(text, &value)
                                  : !override_parse_integer(text, &value))
        return false;
    if (value < spec->min || value > spec->max)
        return false;
    *ret = value;
    return true;
}

/* NULL: the check has no such parameter that may be overridden. */
static struct rule_param *
find_param(struct rule_check *check, const char *name)
{
    for (size_t i = 0; check->constraint->params[i].name; i++) {
        struct rule_param *param = &check->params[i];
        if (param->given && param->overridable && !strcmp(param->spec->name, name))
            return param;
    }
    return NULL;
}

static bool
is_for(const struct rule_override *override, const struct rule *rule)
{
    return rule_text_given(override->rule_id) && !strcmp(override->rule_id, rule->id);
}

static struct status
copy_checks(const struct rule *rule, struct arena *arena, struct rule_check **ret)
{
    struct rule_check *checks = ARENA_ARRAY(arena, struct rule_check, rule->check_count);

    TRY(need(checks));
    memcpy(checks, rule->checks, rule->check_count * sizeof *checks);
    *ret = checks;
    return OK;
}

static bool
uses_assumed(const struct rule *rule, const struct rule_check *checks)
{
    for (size_t i = 0; i < rule->check_count; i++) {
        for (size_t p = 0; checks[i].constraint->params[p].name; p++) {
            if (checks[i].params[p].given && checks[i].params[p].assumed)
                return true;
        }
    }
    return false;
}

static bool
apply(const struct rule *rule, const struct rule_override *override, struct rule_check *checks)
{
    for (size_t i = 0; i < rule->check_count; i++) {
        struct rule_param *param = find_param(&checks[i], override->parameter);
        if (param && parse(param->spec, override->value, &param->number)) {
            param->assumed = false;
            return true;
        }
    }
    return false;
}

struct status
override_checks(const struct rule *rule, const struct rule_case *facts, struct arena *arena,
                const struct rule_check **ret, bool *ret_assumed)
{
    const struct rule_check *effective = rule->checks;
    struct rule_check *checks = NULL;

    for (size_t i = 0; i < facts->overrides.count; i++) {
        const struct rule_override *override = &facts->overrides.items[i];
        if (!is_for(override, rule))
            continue;
        if (!checks)
            TRY(copy_checks(rule, arena, &checks));
        apply(rule, override, checks);
        effective = checks;
    }
    *ret_assumed = uses_assumed(rule, effective);
    *ret = effective;
    return OK;
}

struct status
override_check(const struct rule_set *set, const struct rule_case *facts, struct arena *arena)
{
    for (size_t i = 0; i < facts->overrides.count; i++) {
        const struct rule_override *override = &facts->overrides.items[i];
        const struct rule *rule =
            rule_text_given(override->rule_id) ? rule_set_find(set, override->rule_id) : NULL;
        struct rule_check *checks;
        if (!rule)
            return FAIL_FIELD(arena, "overrides.rule_id", "%s has no rule \"%s\"", set->name,
                              override->rule_id ? override->rule_id : "");
        TRY(copy_checks(rule, arena, &checks));
        if (!rule_text_given(override->parameter) || !apply(rule, override, checks))
            return FAIL_FIELD(arena, "overrides",
                              "%s has no parameter \"%s\" that may be set to \"%s\"", rule->id,
                              override->parameter ? override->parameter : "",
                              override->value ? override->value : "");
    }
    return OK;
}
