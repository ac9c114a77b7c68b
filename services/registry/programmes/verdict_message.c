#include "services/registry/programmes/programmes.h"

#define SAME(ours, theirs)                                                                     \
    _Static_assert((int)(ours) == (int)(theirs), "the engine's numbers are the contract's")

SAME(RULE_PASS, REGISTRY__V1__RULE_RESULT__OUTCOME__PASS);
SAME(RULE_FAIL, REGISTRY__V1__RULE_RESULT__OUTCOME__FAIL);
SAME(RULE_UNKNOWN, REGISTRY__V1__RULE_RESULT__OUTCOME__UNKNOWN);
SAME(RULE_WAIVED, REGISTRY__V1__RULE_RESULT__OUTCOME__WAIVED);
SAME(RULE_NOT_APPLICABLE, REGISTRY__V1__RULE_RESULT__OUTCOME__NOT_APPLICABLE);
SAME(RULE_HARD, REGISTRY__V1__RULE_RESULT__SEVERITY__HARD);
SAME(RULE_SOFT, REGISTRY__V1__RULE_RESULT__SEVERITY__SOFT);
SAME(RULE_INFO, REGISTRY__V1__RULE_RESULT__SEVERITY__INFO);
SAME(RULE_ELIGIBLE, REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE);
SAME(RULE_ELIGIBLE_WITH_WAIVER, REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE_WITH_WAIVER);
SAME(RULE_INCOMPLETE, REGISTRY__V1__VERDICT__OVERALL__INCOMPLETE);
SAME(RULE_INELIGIBLE, REGISTRY__V1__VERDICT__OVERALL__INELIGIBLE);
SAME(RULE_DRAFT, REGISTRY__V1__VERDICT__MODE__DRAFT);
SAME(RULE_SUBMISSION, REGISTRY__V1__VERDICT__MODE__SUBMISSION);
SAME(RULE_VALUE_TEXT, REGISTRY__V1__RULE_VALUE__KIND__TEXT);
SAME(RULE_VALUE_NUMBER, REGISTRY__V1__RULE_VALUE__KIND__NUMBER);
SAME(RULE_VALUE_RATIO, REGISTRY__V1__RULE_VALUE__KIND__RATIO);
SAME(RULE_VALUE_PERCENT, REGISTRY__V1__RULE_VALUE__KIND__PERCENT);
SAME(RULE_VALUE_DATE, REGISTRY__V1__RULE_VALUE__KIND__DATE);
SAME(RULE_VALUE_SPAN, REGISTRY__V1__RULE_VALUE__KIND__SPAN);
SAME(RULE_VALUE_MONEY, REGISTRY__V1__RULE_VALUE__KIND__MONEY);
SAME(RULE_VALUE_CODES, REGISTRY__V1__RULE_VALUE__KIND__CODES);
SAME(RULE_VALUE_FLAG, REGISTRY__V1__RULE_VALUE__KIND__FLAG);
SAME(RULE_VALUE_PATH, REGISTRY__V1__RULE_VALUE__KIND__PATH);

static struct status
put_values(const struct rule_result *result, struct arena *arena,
           Registry__V1__RuleResult *message)
{
    Registry__V1__RuleValue **values =
        ARENA_ARRAY(arena, Registry__V1__RuleValue *, result->value_count + 1);

    TRY(need(values));
    for (size_t i = 0; i < result->value_count; i++) {
        TRY(need(values[i] = ARENA_NEW(arena, Registry__V1__RuleValue)));
        registry__v1__rule_value__init(values[i]);
        values[i]->name = result->values[i].name;
        values[i]->kind = (Registry__V1__RuleValue__Kind)result->values[i].kind;
        values[i]->value = result->values[i].text;
    }
    message->values = values;
    message->n_values = result->value_count;
    return OK;
}

static struct status
put_result(const struct rule_result *result, struct arena *arena,
           Registry__V1__RuleResult **ret)
{
    Registry__V1__RuleResult *message = ARENA_NEW(arena, Registry__V1__RuleResult);

    TRY(need(message));
    registry__v1__rule_result__init(message);
    message->rule_id = result->rule->id;
    message->severity = (Registry__V1__RuleResult__Severity)result->rule->severity;
    message->outcome = (Registry__V1__RuleResult__Outcome)result->outcome;
    message->reason = result->reason;
    message->change = result->change;
    message->assumed = result->assumed;
    message->origin = rule_origin_word(result->rule->origin);
    message->deciding_check = (uint32_t)result->deciding_check;
    message->waiver_reason = result->waiver_reason;
    TRY(put_values(result, arena, message));
    *ret = message;
    return OK;
}

struct status
programmes_verdict(const struct rule_verdict *verdict, struct wall evaluated,
                   struct arena *arena, Registry__V1__Verdict **ret)
{
    Registry__V1__Verdict *message = ARENA_NEW(arena, Registry__V1__Verdict);

    TRY(need(message));
    registry__v1__verdict__init(message);
    message->programme_code = verdict->set->programme;
    message->rule_set_version = verdict->set->name;
    message->overall = (Registry__V1__Verdict__Overall)verdict->overall;
    message->mode = (Registry__V1__Verdict__Mode)verdict->mode;
    message->state = verdict->state;
    message->evaluated_unix_ms = (uint64_t)evaluated.unix_ms;
    TRY(need(message->inputs_hash = arena_copy(arena, verdict->inputs_hash)));
    TRY(need(message->results =
                 ARENA_ARRAY(arena, Registry__V1__RuleResult *, verdict->result_count + 1)));
    for (size_t i = 0; i < verdict->result_count; i++)
        TRY(put_result(&verdict->results[i], arena, &message->results[i]));
    message->n_results = verdict->result_count;
    *ret = message;
    return OK;
}
