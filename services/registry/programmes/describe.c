#include "services/registry/programmes/programmes.h"

#include <inttypes.h>
#include <string.h>

#include "services/registry/programmes/labels.h"
#include "services/registry/programmes/show.h"
#include "services/registry/programmes/vocabulary.h"

static struct status
copy_date(struct rule_date date, struct arena *arena, const char **ret)
{
    char text[RULE_DATE_SIZE];

    if (!rule_date_given(date)) {
        *ret = "";
        return OK;
    }
    rule_date_format(date, text);
    return need(*ret = arena_copy(arena, text));
}

static struct status
copy_texts(struct rule_texts texts, struct arena *arena, const char ***ret, size_t *ret_count)
{
    const char **items = ARENA_ARRAY(arena, const char *, texts.count + 1);

    TRY(need(items));
    for (size_t i = 0; i < texts.count; i++)
        items[i] = texts.items[i];
    *ret = items;
    *ret_count = texts.count;
    return OK;
}

struct status
programmes_describe(const struct rule_set *set, enum lang lang, struct arena *arena,
                    Registry__V1__Programme **ret)
{
    Registry__V1__Programme *message = ARENA_NEW(arena, Registry__V1__Programme);

    TRY(need(message));
    registry__v1__programme__init(message);
    message->code = set->programme;
    message->name = set->programme_name.in[lang];
    message->description = set->description.in[lang];
    message->funder = set->funder;
    message->rule_set_version = set->name;
    message->successor = set->successor;
    TRY(copy_date(set->valid_from, arena, &message->valid_from));
    TRY(copy_date(set->valid_until, arena, &message->valid_until));
    TRY(copy_texts(set->states, arena, &message->states, &message->n_states));
    *ret = message;
    return OK;
}

static struct status
join_numbers(const struct rule_param *param, struct arena *arena, const char **ret)
{
    const char *list = "";

    for (size_t i = 0; i < param->number_count; i++)
        TRY(need(list = arena_printf(arena, "%s%s%" PRId64, list, i ? ", " : "",
                                     param->numbers[i])));
    *ret = list;
    return OK;
}

static struct status
join_texts(const struct rule_param *param, struct arena *arena, const char **ret)
{
    const char *list = "";

    for (size_t i = 0; i < param->texts.count; i++)
        TRY(need(
            list = arena_printf(arena, "%s%s%s", list, i ? ", " : "", param->texts.items[i])));
    *ret = list;
    return OK;
}

static struct status
param_value(const struct rule_param *param, struct arena *arena, const char **ret)
{
    switch (param->spec->kind) {
    case PARAM_INTEGER:
        return need(*ret = arena_printf(arena, "%" PRId64, param->number));
    case PARAM_INTEGERS:
        return join_numbers(param, arena, ret);
    case PARAM_RATIO:
        return need(*ret = arena_printf(arena, "%" PRId64 ".%03" PRId64, param->number / 1000,
                                        param->number % 1000));
    case PARAM_CODE:
    case PARAM_CODES:
    case PARAM_KINDS:
    case PARAM_TEXTS:
        break;
    }
    return join_texts(param, arena, ret);
}

static struct status
describe_param(const struct rule_param *param, struct arena *arena,
               Registry__V1__RuleParameter **ret)
{
    Registry__V1__RuleParameter *message = ARENA_NEW(arena, Registry__V1__RuleParameter);

    TRY(need(message));
    registry__v1__rule_parameter__init(message);
    message->name = param->spec->name;
    message->assumed = param->assumed;
    message->overridable = param->overridable;
    TRY(param_value(param, arena, &message->value));
    *ret = message;
    return OK;
}

static struct status
describe_check(const struct rule_check *check, struct arena *arena,
               Registry__V1__RuleCheck **ret)
{
    Registry__V1__RuleCheck *message = ARENA_NEW(arena, Registry__V1__RuleCheck);

    TRY(need(message));
    registry__v1__rule_check__init(message);
    message->constraint = check->constraint->name;
    TRY(need(message->parameters =
                 ARENA_ARRAY(arena, Registry__V1__RuleParameter *, RULE_PARAMS)));
    for (size_t i = 0; check->constraint->params[i].name; i++) {
        if (check->params[i].given)
            TRY(describe_param(&check->params[i], arena,
                               &message->parameters[message->n_parameters++]));
    }
    *ret = message;
    return OK;
}

static struct status
describe_sources(const struct rule *rule, struct arena *arena, Registry__V1__Rule *message)
{
    TRY(need(message->sources =
                 ARENA_ARRAY(arena, Registry__V1__RuleSource *, rule->source_count)));
    for (size_t i = 0; i < rule->source_count; i++) {
        Registry__V1__RuleSource *source = ARENA_NEW(arena, Registry__V1__RuleSource);
        TRY(need(source));
        registry__v1__rule_source__init(source);
        source->reference = rule->sources[i].reference;
        source->quote = rule->sources[i].quote;
        source->note = rule->sources[i].note;
        message->sources[message->n_sources++] = source;
    }
    return OK;
}

static struct status
describe_rule(const struct rule_set *set, const struct rule *rule, enum lang lang,
              struct arena *arena, Registry__V1__Rule **ret)
{
    Registry__V1__Rule *message = ARENA_NEW(arena, Registry__V1__Rule);

    TRY(need(message));
    registry__v1__rule__init(message);
    message->rule_id = rule->id;
    message->severity = (Registry__V1__RuleResult__Severity)rule->severity;
    message->origin = rule_origin_word(rule->origin);
    message->on_by_default = rule->origin != RULE_EXT;
    message->title = rule->title.in[lang];
    message->applies_from = rule->applies_from ? set->states.items[rule->applies_from] : "";
    TRY(copy_texts(rule->waivable_by, arena, &message->waivable_by, &message->n_waivable_by));
    TRY(describe_sources(rule, arena, message));
    TRY(need(message->checks =
                 ARENA_ARRAY(arena, Registry__V1__RuleCheck *, rule->check_count)));
    for (size_t i = 0; i < rule->check_count; i++)
        TRY(describe_check(&rule->checks[i], arena, &message->checks[message->n_checks++]));
    *ret = message;
    return OK;
}

struct status
programmes_describe_rules(const struct rule_set *set, enum lang lang, struct arena *arena,
                          Registry__V1__RuleSet **ret)
{
    Registry__V1__RuleSet *message = ARENA_NEW(arena, Registry__V1__RuleSet);

    TRY(need(message));
    registry__v1__rule_set__init(message);
    message->rule_set = set->id;
    message->version = set->version;
    message->programme_code = set->programme;
    message->checksum = set->checksum;
    TRY(copy_date(set->valid_from, arena, &message->valid_from));
    TRY(copy_date(set->valid_until, arena, &message->valid_until));
    TRY(need(message->rules = ARENA_ARRAY(arena, Registry__V1__Rule *, set->rule_count)));
    for (size_t i = 0; i < set->rule_count; i++)
        TRY(describe_rule(set, &set->rules[i], lang, arena,
                          &message->rules[message->n_rules++]));
    *ret = message;
    return OK;
}
