#include "services/registry/programmes/programmes.h"

#include <string.h>

#include "common/wire/message.h"
#include "services/registry/programmes/labels.h"
#include "services/registry/programmes/show.h"
#include "services/registry/programmes/vocabulary.h"

#define TEXT(name, sv, fi, en) TEXT_COMPLETE(sv, fi, en);
#include "services/registry/programmes/texts.def"
#undef TEXT

#define TEXT(name, sv, fi, en) static const struct text text_##name = {{sv, fi, en}};
#include "services/registry/programmes/texts.def"
#undef TEXT

/* One result while its texts are made. */
struct rendering {
    struct show show;
    const struct rule *rule;
    const struct rule_value *values;
    size_t value_count;
    Registry__V1__RuleResult *result;
};

static struct status
fill(const struct rendering *rendering, const struct text *text, size_t check, const char **ret)
{
    bool complete;

    return need(*ret =
                    show_template(&rendering->show, text->in[rendering->show.lang],
                                  rendering->values, rendering->value_count, check, &complete));
}

/* What all checks that hold say, one after the other. */
static struct status
explain_pass(const struct rendering *rendering, const char **ret)
{
    const char *all = "";

    for (size_t i = 0; i < rendering->rule->check_count; i++) {
        const struct text *pass = &rendering->rule->checks[i].pass;
        const char *text;
        bool complete;
        TRY(need(text =
                     show_template(&rendering->show, pass->in[rendering->show.lang],
                                   rendering->values, rendering->value_count, i, &complete)));
        if (!complete) /* this check did not apply */
            continue;
        TRY(need(
            all = arena_printf(rendering->show.arena, "%s%s%s", all, *all ? " " : "", text)));
    }
    *ret = all;
    return OK;
}

static const struct text *
reason_text(const char *reason)
{
    static const struct {
        const char *reason;
        const struct text *text;
    } table[] = {
        {"before_state", &text_before_state}, {"switched_off", &text_switched_off},
        {"replaced", &text_replaced},         {"not_linked", &text_not_linked},
        {"not_used", &text_not_used},         {"no_observation", &text_no_observation},
        {"no_members", &text_no_members},
    };

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (!strcmp(table[i].reason, reason))
            return table[i].text;
    }
    return NULL;
}

static struct status
explain_waived(const struct rendering *rendering, const char *said, const char **ret)
{
    const struct text_value reason = {"reason", rendering->result->waiver_reason};
    const char *waived =
        text_fill(rendering->show.arena, text_waived.in[rendering->show.lang], &reason, 1);

    TRY(need(waived));
    return need(*ret = arena_printf(rendering->show.arena, "%s %s", said, waived));
}

static struct status
explain(const struct rendering *rendering, const struct rule_check *deciding, const char **ret)
{
    const Registry__V1__RuleResult *result = rendering->result;
    const bool missing = !strcmp(result->reason, "missing");
    const struct text *text = &deciding->fail;
    const char *said;

    switch (result->outcome) {
    case REGISTRY__V1__RULE_RESULT__OUTCOME__PASS:
        return explain_pass(rendering, ret);
    case REGISTRY__V1__RULE_RESULT__OUTCOME__UNKNOWN:
        text = &text_missing;
        break;
    case REGISTRY__V1__RULE_RESULT__OUTCOME__NOT_APPLICABLE:
        text = reason_text(result->reason);
        break;
    default:
        if (missing)
            text = &text_missing_failed;
        break;
    }
    if (!text) {
        *ret = "";
        return OK;
    }
    TRY(fill(rendering, text, result->deciding_check, &said));
    if (result->outcome == REGISTRY__V1__RULE_RESULT__OUTCOME__WAIVED)
        return explain_waived(rendering, said, ret);
    *ret = said;
    return OK;
}

static struct status
remedy(const struct rendering *rendering, const struct rule_check *deciding, const char **ret)
{
    const Registry__V1__RuleResult *result = rendering->result;
    const bool open = result->outcome == REGISTRY__V1__RULE_RESULT__OUTCOME__FAIL ||
                      result->outcome == REGISTRY__V1__RULE_RESULT__OUTCOME__UNKNOWN;

    *ret = "";
    if (!open)
        return OK;
    if (!strcmp(result->reason, "missing"))
        return fill(rendering, &text_missing_remedy, result->deciding_check, ret);
    for (size_t i = 0; i < deciding->remedy_count; i++) {
        if (!strcmp(deciding->remedies[i].change, result->change))
            return fill(rendering, &deciding->remedies[i].text, result->deciding_check, ret);
    }
    return OK;
}

/* Label and value as a reader sees them; the mark of a later check is left out of the label. */
static struct status
render_values(const struct rendering *rendering)
{
    struct arena *arena = rendering->show.arena;

    for (size_t i = 0; i < rendering->value_count; i++) {
        Registry__V1__RuleValue *value = rendering->result->values[i];
        const char *name =
            arena_printf(arena, "value.%.*s", (int)strcspn(value->name, "#"), value->name);
        const struct text *label;
        TRY(need(name));
        label = label_find(rendering->show.set, name);
        value->label = label ? label->in[rendering->show.lang] : value->name;
        TRY(need(value->shown = show_value(&rendering->show, (enum rule_value_kind)value->kind,
                                           value->value, false)));
    }
    return OK;
}

static struct status
first_source(const struct rule *rule, struct arena *arena, Registry__V1__RuleSource **ret)
{
    Registry__V1__RuleSource *source = ARENA_NEW(arena, Registry__V1__RuleSource);

    TRY(need(source));
    registry__v1__rule_source__init(source);
    source->reference = rule->sources[0].reference;
    source->quote = rule->sources[0].quote;
    source->note = rule->sources[0].note;
    *ret = source;
    return OK;
}

static struct status
values_of(const Registry__V1__RuleResult *result, struct arena *arena,
          const struct rule_value **ret)
{
    struct rule_value *values = ARENA_ARRAY(arena, struct rule_value, result->n_values + 1);

    TRY(need(values));
    for (size_t i = 0; i < result->n_values; i++)
        values[i] = (struct rule_value){result->values[i]->name,
                                        (enum rule_value_kind)result->values[i]->kind,
                                        result->values[i]->value};
    *ret = values;
    return OK;
}

static struct status
render_result(const struct rule_set *set, enum lang lang, struct arena *arena,
              Registry__V1__RuleResult *result)
{
    const struct rule *rule = rule_set_find(set, result->rule_id);
    struct rendering rendering = {.show = {set, lang, arena}, .rule = rule, .result = result};
    const struct rule_check *deciding;

    rendering.value_count = result->n_values;
    TRY(values_of(result, arena, &rendering.values));
    TRY(render_values(&rendering));
    if (!rule || result->deciding_check >= rule->check_count)
        return OK; /* not ours: codes and values are all there is */
    deciding = &rule->checks[result->deciding_check];
    result->title = rule->title.in[lang];
    TRY(explain(&rendering, deciding, &result->explanation));
    TRY(remedy(&rendering, deciding, &result->remedy));
    return first_source(rule, arena, &result->source);
}

/* "KTP-07, KTP-09": the rules of a severity with an outcome. */
static struct status
list_rules(const Registry__V1__Verdict *verdict, Registry__V1__RuleResult__Severity severity,
           Registry__V1__RuleResult__Outcome outcome, struct arena *arena, const char **ret)
{
    const char *list = "";

    for (size_t i = 0; i < verdict->n_results; i++) {
        const Registry__V1__RuleResult *result = verdict->results[i];
        if (result->severity != severity || result->outcome != outcome)
            continue;
        TRY(need(list =
                     arena_printf(arena, "%s%s%s", list, *list ? ", " : "", result->rule_id)));
    }
    *ret = list;
    return OK;
}

static struct status
summarise(Registry__V1__Verdict *verdict, enum lang lang, struct arena *arena)
{
    static const struct {
        const struct text *text;
        Registry__V1__RuleResult__Outcome outcome;
    } table[] = {
        [RULE_ELIGIBLE] = {&text_eligible, REGISTRY__V1__RULE_RESULT__OUTCOME__FAIL},
        [RULE_ELIGIBLE_WITH_WAIVER] = {&text_eligible_with_waiver,
                                       REGISTRY__V1__RULE_RESULT__OUTCOME__WAIVED},
        [RULE_INCOMPLETE] = {&text_incomplete, REGISTRY__V1__RULE_RESULT__OUTCOME__UNKNOWN},
        [RULE_INELIGIBLE] = {&text_ineligible, REGISTRY__V1__RULE_RESULT__OUTCOME__FAIL},
    };
    const size_t overall = (size_t)verdict->overall;
    struct text_value values[2] = {{"rules", ""}, {"summary", ""}};

    if (!overall || overall >= COUNT_OF(table))
        return OK;
    TRY(list_rules(verdict, REGISTRY__V1__RULE_RESULT__SEVERITY__HARD, table[overall].outcome,
                   arena, &values[0].value));
    TRY(need(verdict->summary = text_fill(arena, table[overall].text->in[lang], values, 1)));
    values[1].value = verdict->summary;
    TRY(list_rules(verdict, REGISTRY__V1__RULE_RESULT__SEVERITY__SOFT,
                   REGISTRY__V1__RULE_RESULT__OUTCOME__FAIL, arena, &values[0].value));
    if (!*values[0].value)
        return OK;
    return need(verdict->summary = text_fill(arena, text_with_warnings.in[lang], values, 2));
}

struct status
programmes_render(const struct programmes *programmes, const Registry__V1__Verdict *neutral,
                  enum lang lang, struct arena *arena, Registry__V1__Verdict **ret)
{
    const struct rule_set *set = programmes_find_name(programmes, neutral->rule_set_version);
    Registry__V1__Verdict *verdict;
    ProtobufCMessage *copy;

    TRY(wire_copy(&neutral->base, arena, &copy));
    verdict = (Registry__V1__Verdict *)copy;
    for (size_t i = 0; set && i < verdict->n_results; i++)
        TRY(render_result(set, lang, arena, verdict->results[i]));
    if (set)
        TRY(summarise(verdict, lang, arena));
    *ret = verdict;
    return OK;
}
