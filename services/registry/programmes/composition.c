/* What a rule set asks of who the members are, in the contract's words. */

#include <string.h>

#include "services/registry/programmes/programmes.h"
#include "services/registry/programmes/vocabulary.h"

static bool
is_on(const struct rule_set *set, const struct rule *rule, struct rule_texts switches)
{
    const bool all = rule_texts_have(switches, "ext");

    if (rule->origin == RULE_EXT && !all && !rule_texts_have(switches, rule->id))
        return false;
    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rule *other = &set->rules[i];
        if (other->replaces && !strcmp(other->replaces, rule->id) &&
            (other->origin != RULE_EXT || all || rule_texts_have(switches, other->id)))
            return false;
    }
    return true;
}

static bool
given(const struct rule_check *check, const char *name)
{
    return rule_check_param(check, name)->given;
}

static uint32_t
number(const struct rule_check *check, const char *name)
{
    const struct rule_param *param = rule_check_param(check, name);

    return param->given ? (uint32_t)param->number : 0;
}

static Registry__V1__CompositionRule__Scope
scope_of(const struct rule_check *check)
{
    const struct rule_param *param = rule_check_param(check, "scope");
    const char *word = param->given ? param->texts.items[0] : "any";

    if (!strcmp(word, "programme"))
        return REGISTRY__V1__COMPOSITION_RULE__SCOPE__PROGRAMME_COUNTRY;
    return strcmp(word, "any") ? REGISTRY__V1__COMPOSITION_RULE__SCOPE__PARTNER_COUNTRY
                               : REGISTRY__V1__COMPOSITION_RULE__SCOPE__SCOPE_UNSPECIFIED;
}

static struct status
copy(const struct rule_check *check, const char *name, struct arena *arena, const char ***ret,
     size_t *ret_count)
{
    const struct rule_param *param = rule_check_param(check, name);

    TRY(need(*ret = ARENA_ARRAY(arena, const char *, param->texts.count + 1)));
    for (size_t i = 0; param->given && i < param->texts.count; i++)
        (*ret)[(*ret_count)++] = param->texts.items[i];
    return OK;
}

/* Fills what the check asks; leaves the kind unspecified when it is not about composition. */
static struct status
translate(const struct rule_check *check, struct arena *arena,
          Registry__V1__CompositionRule *rule)
{
    const char *name = check->constraint->name;

    if (!strcmp(name, "member_count") && !given(check, "having") && !given(check, "role")) {
        rule->kind = REGISTRY__V1__COMPOSITION_RULE__KIND__MEMBER_COUNT;
        rule->scope = scope_of(check);
        rule->min = number(check, "min");
        rule->max = number(check, "max");
        TRY(copy(check, "regions", arena, &rule->nuts_prefixes, &rule->n_nuts_prefixes));
        return copy(check, "kinds", arena, &rule->types, &rule->n_types);
    }
    if (!strcmp(name, "distinct_countries")) {
        rule->kind = REGISTRY__V1__COMPOSITION_RULE__KIND__DISTINCT_COUNTRIES;
        rule->scope = scope_of(check);
        rule->min = number(check, "min");
    } else if (!strcmp(name, "independent")) {
        rule->kind = REGISTRY__V1__COMPOSITION_RULE__KIND__INDEPENDENT;
        rule->min = number(check, "min");
        rule->share_thousandths = number(check, "share");
        return copy(check, "kinds", arena, &rule->types, &rule->n_types);
    } else if (!strcmp(name, "allowed_values") &&
               !strcmp(rule_check_param(check, "fact")->texts.items[0], "party_types") &&
               !strcmp(rule_check_param(check, "extra")->texts.items[0], "refuse")) {
        rule->kind = REGISTRY__V1__COMPOSITION_RULE__KIND__ALLOWED_TYPES;
        return copy(check, "values", arena, &rule->types, &rule->n_types);
    } else if (!strcmp(name, "per_member") && given(check, "scope") &&
               !given(check, "flagged")) {
        rule->kind = REGISTRY__V1__COMPOSITION_RULE__KIND__JUSTIFIED;
        rule->scope = scope_of(check);
        return copy(check, "kinds", arena, &rule->types, &rule->n_types);
    }
    return OK;
}

struct status
programmes_composition(const struct rule_set *set, struct rule_texts switches, enum lang lang,
                       struct arena *arena, Registry__V1__GetCompositionRulesReply *reply)
{
    reply->rule_set_version = set->name;
    reply->version = set->version;
    reply->checksum = set->checksum;
    TRY(need(reply->programme_countries =
                 ARENA_ARRAY(arena, const char *, set->programme_countries.count + 1)));
    for (size_t i = 0; i < set->programme_countries.count; i++)
        reply->programme_countries[reply->n_programme_countries++] =
            set->programme_countries.items[i];
    TRY(need(reply->rules = ARENA_ARRAY(arena, Registry__V1__CompositionRule *,
                                        set->rule_count * RULE_CHECKS)));
    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rule *rule = &set->rules[i];

        if (rule->severity != RULE_HARD || !is_on(set, rule, switches))
            continue;
        for (size_t c = 0; c < rule->check_count; c++) {
            Registry__V1__CompositionRule *made =
                ARENA_NEW(arena, Registry__V1__CompositionRule);
            TRY(need(made));
            registry__v1__composition_rule__init(made);
            made->rule_id = rule->id;
            made->title = rule->title.in[lang];
            TRY(translate(&rule->checks[c], arena, made));
            if (made->kind)
                reply->rules[reply->n_rules++] = made;
        }
    }
    return OK;
}
