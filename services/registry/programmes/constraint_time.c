#include "services/registry/programmes/constraints.h"

#include <inttypes.h>

void
constraint_fte(struct finding *finding)
{
    const int64_t required = finding_param(finding, "equals")->number;
    const struct rule_number found = finding->facts->fte_thousandths;

    if (!found.given) {
        finding_missing(finding, "fte");
        return;
    }
    finding_as(finding, "found", RULE_VALUE_PERCENT, found.value);
    finding_as(finding, "required", RULE_VALUE_PERCENT, required);
    if (found.value == required)
        finding_pass(finding);
    else
        finding_fail(finding, "set");
}

/* The case's own period; names what is missing of it. */
static bool
period_known(struct finding *finding)
{
    const struct rule_period period = finding->facts->period;

    if (!rule_date_given(period.start))
        finding_missing(finding, "period.start");
    if (!rule_date_given(period.end))
        finding_missing(finding, "period.end");
    return finding->outcome != RULE_UNKNOWN;
}

static void
put_options(struct finding *finding, const struct rule_param *one_of)
{
    const char **options = ARENA_ARRAY(finding->arena, const char *, one_of->number_count);

    for (size_t i = 0; options && i < one_of->number_count; i++) {
        options[i] = arena_printf(finding->arena, "%" PRId64, one_of->numbers[i]);
        if (!options[i])
            options = NULL;
    }
    if (options)
        finding_list(finding, "options", RULE_VALUE_CODES, options, one_of->number_count);
    else
        finding->broken = true;
}

static void
duration_values(struct finding *finding, bool forwards)
{
    const struct rule_period period = finding->facts->period;
    const struct rule_param *min = finding_param(finding, "min_months");
    const struct rule_param *max = finding_param(finding, "max_months");
    const struct rule_param *one_of = finding_param(finding, "one_of");

    finding_date(finding, "start", period.start);
    finding_date(finding, "end", period.end);
    finding_span(finding, "duration",
                 forwards ? rule_date_span(period.start, period.end) : (struct rule_span){0});
    if (max->given)
        finding_span(finding, "limit", (struct rule_span){.months = max->number});
    if (min->given)
        finding_span(finding, "least", (struct rule_span){.months = min->number});
    if (one_of->given)
        put_options(finding, one_of);
}

static bool
is_one_of(struct rule_period period, const struct rule_param *one_of)
{
    for (size_t i = 0; i < one_of->number_count; i++) {
        const struct rule_date end = rule_date_add_months(period.start, one_of->numbers[i]);
        if (!rule_date_compare(period.end, end))
            return true;
    }
    return false;
}

void
constraint_duration(struct finding *finding)
{
    const struct rule_period period = finding->facts->period;
    const struct rule_param *min = finding_param(finding, "min_months");
    const struct rule_param *max = finding_param(finding, "max_months");
    const struct rule_param *one_of = finding_param(finding, "one_of");
    struct rule_date latest, earliest;
    bool forwards;

    if (!period_known(finding))
        return;
    latest = rule_date_add_months(period.start, max->number);
    earliest = rule_date_add_months(period.start, min->number);
    forwards = rule_date_compare(period.start, period.end) < 0;
    duration_values(finding, forwards);
    if (!forwards) {
        finding_fail(finding, "reverse");
    } else if (max->given && rule_date_compare(period.end, latest) > 0) {
        finding_span(finding, "over", rule_date_span(latest, period.end));
        finding_date(finding, "latest_end", latest);
        finding_fail(finding, "shorten");
    } else if (min->given && rule_date_compare(period.end, earliest) < 0) {
        finding_span(finding, "short", rule_date_span(period.end, earliest));
        finding_date(finding, "earliest_end", earliest);
        finding_fail(finding, "lengthen");
    } else if (one_of->given && !is_one_of(period, one_of)) {
        finding_fail(finding, "choose");
    } else {
        finding_pass(finding);
    }
}

void
constraint_inside_period(struct finding *finding)
{
    const struct rule_period inner = finding->facts->period;
    const struct rule_period outer = finding->facts->funded_project;
    bool late, early;

    if (!finding->facts->funded_project_linked) {
        finding_not_applicable(finding, "not_linked");
        return;
    }
    if (!rule_date_given(outer.start))
        finding_missing(finding, "funded_project.start");
    if (!rule_date_given(outer.end))
        finding_missing(finding, "funded_project.end");
    if (!period_known(finding))
        return;
    finding_date(finding, "start", inner.start);
    finding_date(finding, "end", inner.end);
    finding_date(finding, "outer_start", outer.start);
    finding_date(finding, "outer_end", outer.end);
    late = rule_date_compare(inner.end, outer.end) > 0;
    early = rule_date_compare(inner.start, outer.start) < 0;
    if (late && early) {
        finding_fail(finding, "fit");
    } else if (late) {
        finding_span(finding, "over", rule_date_span(outer.end, inner.end));
        finding_fail(finding, "end_earlier");
    } else if (early) {
        finding_span(finding, "early", rule_date_span(inner.start, outer.start));
        finding_fail(finding, "start_later");
    } else {
        finding_pass(finding);
    }
}

void
constraint_after_end(struct finding *finding)
{
    const struct rule_date follow_up = finding->facts->follow_up;
    const struct rule_date end = finding->facts->period.end;

    if (!rule_date_given(follow_up))
        finding_missing(finding, "follow_up");
    if (!rule_date_given(end))
        finding_missing(finding, "period.end");
    if (finding->outcome == RULE_UNKNOWN)
        return;
    finding_date(finding, "follow_up", follow_up);
    finding_date(finding, "end", end);
    /* The end is the first day after the period, so that day itself will do. */
    if (rule_date_compare(follow_up, end) >= 0)
        finding_pass(finding);
    else
        finding_fail(finding, "later");
}
