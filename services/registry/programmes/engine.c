#include "services/registry/programmes/verdict.h"

#include <string.h>

#include "services/registry/programmes/override.h"
#include "services/registry/programmes/vocabulary.h"

struct evaluation {
    const struct rule_set *set;
    const struct rule_case *facts;
    enum rule_mode mode;
    struct rule_date today;
    struct arena *arena;
    size_t state; /* index in the set's states */
};

/* A rule's values as they are gathered from its checks. */
struct gathered {
    size_t count;
    struct rule_value values[RULE_CHECKS * RULE_VALUES];
};

static struct status
state_index(const struct rule_set *set, const char *state, struct arena *arena, size_t *ret)
{
    if (!rule_text_given(state)) {
        *ret = 0;
        return OK;
    }
    for (size_t i = 0; i < set->states.count; i++) {
        if (!strcmp(set->states.items[i], state)) {
            *ret = i;
            return OK;
        }
    }
    return FAIL_FIELD(arena, "state", "%s has no state \"%s\"", set->name, state);
}

static bool
is_on(const struct rule_case *facts, const struct rule *rule)
{
    return rule->origin != RULE_EXT || rule_texts_have(facts->switches, rule->id) ||
           rule_texts_have(facts->switches, "ext");
}

static bool
is_replaced(const struct evaluation *evaluation, const struct rule *rule)
{
    for (size_t i = 0; i < evaluation->set->rule_count; i++) {
        const struct rule *other = &evaluation->set->rules[i];
        if (other->replaces && !strcmp(other->replaces, rule->id) &&
            is_on(evaluation->facts, other))
            return true;
    }
    return false;
}

/* FAIL before UNKNOWN before PASS; a check that does not apply says nothing. */
static int
weight(enum rule_outcome outcome)
{
    switch (outcome) {
    case RULE_FAIL:
        return 3;
    case RULE_UNKNOWN:
        return 2;
    case RULE_PASS:
        return 1;
    case RULE_WAIVED:
    case RULE_NOT_APPLICABLE:
        break;
    }
    return 0;
}

static struct status
gather(struct finding *finding, size_t index, struct gathered *gathered)
{
    if (finding->missing_count)
        finding_list(finding, "missing", RULE_VALUE_CODES, finding->missing,
                     finding->missing_count);
    if (finding->broken)
        return FAIL(finding->arena, RESOURCE_EXHAUSTED, "the evaluation needs too much memory");
    for (size_t i = 0; i < finding->value_count; i++) {
        struct rule_value value = finding->values[i];
        if (index) {
            value.name = arena_printf(finding->arena, "%s#%zu", value.name, index);
            TRY(need(value.name));
        }
        gathered->values[gathered->count++] = value;
    }
    return OK;
}

static struct status
run_checks(const struct evaluation *evaluation, const struct rule *rule,
           struct gathered *gathered, struct rule_result *ret)
{
    const struct rule_check *checks;

    TRY(override_checks(rule, evaluation->facts, evaluation->arena, &checks, &ret->assumed));
    for (size_t i = 0; i < rule->check_count; i++) {
        struct finding finding = {
            .arena = evaluation->arena,
            .set = evaluation->set,
            .check = &checks[i],
            .facts = evaluation->facts,
            .reason = "",
        };
        checks[i].constraint->evaluate(&finding);
        TRY(gather(&finding, i, gathered));
        if (i && weight(finding.outcome) <= weight(ret->outcome))
            continue;
        ret->outcome = finding.outcome;
        ret->reason = finding.reason;
        ret->change = finding.change ? finding.change : "";
        ret->deciding_check = i;
    }
    return OK;
}

/* NULL: nobody who may has waived the rule, or no longer. */
static const struct rule_waiver *
find_waiver(const struct evaluation *evaluation, const struct rule *rule)
{
    for (size_t i = 0; i < evaluation->facts->waivers.count; i++) {
        const struct rule_waiver *waiver = &evaluation->facts->waivers.items[i];
        if (!rule_text_given(waiver->rule_id) || strcmp(waiver->rule_id, rule->id))
            continue;
        if (!rule_text_given(waiver->granted_by) ||
            !rule_texts_have(rule->waivable_by, waiver->granted_by))
            continue;
        if (!rule_date_given(waiver->expires) ||
            rule_date_compare(evaluation->today, waiver->expires) < 0)
            return waiver;
    }
    return NULL;
}

static struct status
judge(const struct evaluation *evaluation, const struct rule *rule, struct gathered *gathered,
      struct rule_result *ret)
{
    const struct rule_waiver *waiver;

    TRY(run_checks(evaluation, rule, gathered, ret));
    if (ret->outcome == RULE_UNKNOWN && evaluation->mode == RULE_SUBMISSION)
        ret->outcome = RULE_FAIL; /* the reason stays "missing" */
    if (ret->outcome != RULE_FAIL)
        return OK;
    waiver = find_waiver(evaluation, rule);
    if (waiver) {
        ret->outcome = RULE_WAIVED;
        ret->waiver_reason = waiver->reason ? waiver->reason : "";
    }
    return OK;
}

static void
not_applicable(const char *reason, struct rule_result *ret)
{
    ret->outcome = RULE_NOT_APPLICABLE;
    ret->reason = reason;
}

static struct status
evaluate_rule(const struct evaluation *evaluation, const struct rule *rule,
              struct rule_result *ret)
{
    struct rule_result result = {.rule = rule, .reason = "", .change = "", .waiver_reason = ""};
    struct gathered gathered = {0};
    struct rule_value *values;

    if (!is_on(evaluation->facts, rule)) {
        not_applicable("switched_off", &result);
    } else if (is_replaced(evaluation, rule)) {
        not_applicable("replaced", &result);
    } else if (evaluation->state < rule->applies_from) {
        not_applicable("before_state", &result);
        gathered.values[gathered.count++] = (struct rule_value){
            "from", RULE_VALUE_CODES, evaluation->set->states.items[rule->applies_from]};
    } else {
        TRY(judge(evaluation, rule, &gathered, &result));
    }
    values = ARENA_ARRAY(evaluation->arena, struct rule_value, gathered.count + 1);
    TRY(need(values));
    memcpy(values, gathered.values, gathered.count * sizeof *values);
    result.values = values;
    result.value_count = gathered.count;
    *ret = result;
    return OK;
}

static enum rule_overall
overall_of(const struct rule_result *results, size_t count)
{
    bool unknown = false, waived = false;

    for (size_t i = 0; i < count; i++) {
        if (results[i].rule->severity != RULE_HARD)
            continue;
        if (results[i].outcome == RULE_FAIL)
            return RULE_INELIGIBLE;
        unknown |= results[i].outcome == RULE_UNKNOWN;
        waived |= results[i].outcome == RULE_WAIVED;
    }
    if (unknown)
        return RULE_INCOMPLETE;
    return waived ? RULE_ELIGIBLE_WITH_WAIVER : RULE_ELIGIBLE;
}

static struct status
check_waivers(const struct rule_set *set, const struct rule_case *facts, struct arena *arena)
{
    for (size_t i = 0; i < facts->waivers.count; i++) {
        const char *rule_id = facts->waivers.items[i].rule_id;
        if (!rule_text_given(rule_id) || !rule_set_find(set, rule_id))
            return FAIL_FIELD(arena, "waivers.rule_id", "%s has no rule \"%s\"", set->name,
                              rule_id ? rule_id : "");
    }
    return OK;
}

struct status
rule_evaluate(const struct rule_set *set, const struct rule_case *facts, enum rule_mode mode,
              struct rule_date today, struct arena *arena, struct rule_verdict *ret)
{
    struct evaluation evaluation = {
        .set = set, .facts = facts, .mode = mode, .today = today, .arena = arena};
    struct rule_result *results = ARENA_ARRAY(arena, struct rule_result, set->rule_count);
    struct rule_verdict verdict = {.set = set, .mode = mode};
    const char *context;

    TRY(need(results));
    TRY(rule_case_check(facts, arena));
    TRY(state_index(set, facts->state, arena, &evaluation.state));
    TRY(override_check(set, facts, arena));
    TRY(check_waivers(set, facts, arena));
    for (size_t i = 0; i < set->rule_count; i++)
        TRY(evaluate_rule(&evaluation, &set->rules[i], &results[i]));
    verdict.state = set->states.items[evaluation.state];
    verdict.results = results;
    verdict.result_count = set->rule_count;
    verdict.overall = overall_of(results, set->rule_count);
    TRY(need(context = arena_printf(arena, "%s %s", set->name,
                                    mode == RULE_DRAFT ? "draft" : "submission")));
    TRY(rule_case_hash(facts, context, today, arena, verdict.inputs_hash));
    *ret = verdict;
    return OK;
}
