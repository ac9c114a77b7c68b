#include "services/registry/programmes/constraints.h"

#include <stdio.h>
#include <string.h>

/* The lines of a budget that a check means: parameters <prefix>_payer, _kinds, _categories and
 * _except. */
struct selector {
    const char *payer;
    const struct rule_param *kinds, *categories, *except;
};

struct sum {
    int64_t minor;
    size_t lines;
    const char *currency; /* NULL: no line was selected */
    const char *missing;  /* NULL: all is known */
};

static struct selector
selector_of(const struct finding *finding, const char *prefix)
{
    char name[32];
    struct selector selector;

    snprintf(name, sizeof name, "%s_payer", prefix);
    selector.payer = finding_code(finding, name);
    snprintf(name, sizeof name, "%s_kinds", prefix);
    selector.kinds = finding_param(finding, name);
    snprintf(name, sizeof name, "%s_categories", prefix);
    selector.categories = finding_param(finding, name);
    snprintf(name, sizeof name, "%s_except", prefix);
    selector.except = finding_param(finding, name);
    return selector;
}

static enum selection
selects(const struct finding *finding, const struct selector *selector,
        const struct rule_budget_line *line, const char **ret_missing)
{
    const struct rule_party *party;

    if (selector->payer &&
        (!rule_text_given(line->payer) || strcmp(line->payer, selector->payer)))
        return SELECTION_NO;
    if (selector->categories->given &&
        (!rule_text_given(line->category) ||
         !rule_texts_have(selector->categories->texts, line->category)))
        return SELECTION_NO;
    if (selector->except->given && rule_text_given(line->category) &&
        rule_texts_have(selector->except->texts, line->category))
        return SELECTION_NO;
    if (!selector->kinds->given)
        return SELECTION_YES;
    if (!rule_text_given(line->organisation_id))
        return SELECTION_NO; /* the funder is no member */
    party = rule_case_find_party(finding->facts, line->organisation_id);
    if (!party || !rule_text_given(party->type)) {
        *ret_missing = "parties.type";
        return SELECTION_UNKNOWN;
    }
    return rule_texts_have(selector->kinds->texts, party->type) ? SELECTION_YES : SELECTION_NO;
}

static struct sum
sum_lines(const struct finding *finding, const char *prefix)
{
    const struct selector selector = selector_of(finding, prefix);
    struct sum sum = {.missing = finding->facts->budget.given ? NULL : "budget"};

    for (size_t i = 0; i < finding->facts->budget.count; i++) {
        const struct rule_budget_line *line = &finding->facts->budget.items[i];
        if (selects(finding, &selector, line, &sum.missing) != SELECTION_YES)
            continue;
        if (!rule_text_given(line->currency) ||
            (sum.currency && strcmp(sum.currency, line->currency))) {
            sum.missing = "budget.currency";
            continue;
        }
        sum.currency = line->currency;
        sum.minor += line->amount_minor;
        sum.lines++;
    }
    return sum;
}

/* The two sums of a ratio or share; false when one cannot be known. */
static bool
sums_known(struct finding *finding, struct sum *ret_part, struct sum *ret_whole)
{
    const struct sum part = sum_lines(finding, "part");
    const struct sum whole = sum_lines(finding, "whole");

    if (part.missing) {
        finding_missing(finding, part.missing);
    } else if (whole.missing) {
        finding_missing(finding, whole.missing);
    } else if (!whole.minor) {
        finding_missing(finding, "budget");
    } else if (part.currency && strcmp(part.currency, whole.currency)) {
        finding_missing(finding, "budget.currency");
    } else {
        *ret_part = part;
        *ret_whole = whole;
        return true;
    }
    return false;
}

/* In thousandths, rounded to the nearest, but never over the limit that decided. */
static int64_t
shown_ratio(int64_t part, int64_t whole, int64_t limit)
{
    const int64_t rounded = (part * 1000 + whole / 2) / whole;
    const bool below = part * 1000 < limit * whole;
    const bool above = part * 1000 > limit * whole;

    if (below && rounded >= limit)
        return limit - 1;
    if (above && rounded <= limit)
        return limit + 1;
    return rounded;
}

void
constraint_ratio(struct finding *finding)
{
    const int64_t min = finding_param(finding, "min")->number;
    struct sum part, whole;
    int64_t wanted;

    if (!sums_known(finding, &part, &whole))
        return;
    finding_money(finding, "part", part.minor, whole.currency);
    finding_money(finding, "whole", whole.minor, whole.currency);
    finding_as(finding, "ratio", RULE_VALUE_RATIO, shown_ratio(part.minor, whole.minor, min));
    finding_as(finding, "min", RULE_VALUE_RATIO, min);
    /* Divided first where the product would not fit. */
    wanted = whole.minor / 1000 * min + (whole.minor % 1000 * min + 999) / 1000;
    if (part.minor >= wanted) {
        finding_pass(finding);
        return;
    }
    finding_money(finding, "raise", wanted - part.minor, whole.currency);
    finding_fail(finding, "raise");
}

void
constraint_share_limit(struct finding *finding)
{
    const int64_t max = finding_param(finding, "max")->number;
    struct sum part, whole;
    int64_t excess;

    if (!sums_known(finding, &part, &whole))
        return;
    finding_money(finding, "part", part.minor, whole.currency);
    finding_money(finding, "whole", whole.minor, whole.currency);
    finding_as(finding, "share", RULE_VALUE_PERCENT, shown_ratio(part.minor, whole.minor, max));
    finding_as(finding, "max", RULE_VALUE_PERCENT, max);
    excess = part.minor * 1000 - max * whole.minor;
    if (excess <= 0) {
        finding_pass(finding);
        return;
    }
    /* What is taken from the part is taken from the whole as well. */
    finding_money(finding, "lower", (excess + 1000 - max - 1) / (1000 - max), whole.currency);
    finding_fail(finding, "lower");
}

/* The ceiling of the shortest duration that covers the period; of the longest beyond that. */
static int64_t
ceiling_of(const struct finding *finding, struct rule_period period)
{
    const struct rule_param *months = finding_param(finding, "months");
    const struct rule_param *ceilings = finding_param(finding, "max_minor");
    size_t at = 0;

    while (at + 1 < months->number_count && at + 1 < ceilings->number_count &&
           rule_date_compare(period.end,
                             rule_date_add_months(period.start, months->numbers[at])) > 0)
        at++;
    return ceilings->numbers[at];
}

void
constraint_amount_limit(struct finding *finding)
{
    const struct rule_period period = finding->facts->period;
    const char *currency = finding_param(finding, "currency")->texts.items[0];
    const struct sum part = sum_lines(finding, "part");
    int64_t limit;

    if (!rule_date_given(period.start))
        finding_missing(finding, "period.start");
    if (!rule_date_given(period.end) || rule_date_compare(period.end, period.start) < 0)
        finding_missing(finding, "period.end");
    if (part.missing)
        finding_missing(finding, part.missing);
    else if (part.currency && strcmp(part.currency, currency))
        finding_missing(finding, "budget.currency");
    if (finding->outcome == RULE_UNKNOWN)
        return;
    limit = ceiling_of(finding, period);
    finding_money(finding, "part", part.minor, currency);
    finding_money(finding, "limit", limit, currency);
    finding_span(finding, "duration", rule_date_span(period.start, period.end));
    if (part.minor <= limit) {
        finding_pass(finding);
        return;
    }
    finding_money(finding, "lower", part.minor - limit, currency);
    finding_fail(finding, "lower");
}
