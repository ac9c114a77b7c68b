#include "services/registry/programmes/constraints.h"

#include <math.h>
#include <string.h>

/* Codes of a case, each once, split into those allowed and the others. */
struct split {
    const char **found, **extra, **absent;
    size_t found_count, extra_count, absent_count;
};

static void
append_once(const char **list, size_t *count, const char *item)
{
    for (size_t i = 0; i < *count; i++) {
        if (!strcmp(list[i], item))
            return;
    }
    list[(*count)++] = item;
}

static bool
split_values(struct finding *finding, struct rule_texts values, struct split *ret)
{
    const struct rule_param *allowed = finding_param(finding, "values");
    struct split split = {
        .found = ARENA_ARRAY(finding->arena, const char *, values.count + 1),
        .extra = ARENA_ARRAY(finding->arena, const char *, values.count + 1),
        .absent = ARENA_ARRAY(finding->arena, const char *, allowed->texts.count + 1),
    };

    if (!split.found || !split.extra || !split.absent)
        return false;
    for (size_t i = 0; i < values.count; i++) {
        append_once(split.found, &split.found_count, values.items[i]);
        if (!rule_texts_have(allowed->texts, values.items[i]))
            append_once(split.extra, &split.extra_count, values.items[i]);
    }
    for (size_t i = 0; i < allowed->texts.count; i++) {
        if (!rule_texts_have(values, allowed->texts.items[i]))
            split.absent[split.absent_count++] = allowed->texts.items[i];
    }
    *ret = split;
    return true;
}

/* The types of the parties as a list of codes.  A party without a type makes it unknown. */
static bool
party_types(struct finding *finding, struct rule_texts *ret)
{
    const struct rule_case *facts = finding->facts;
    const char **types = ARENA_ARRAY(finding->arena, const char *, facts->parties.count + 1);

    if (!types) {
        finding->broken = true;
        return false;
    }
    if (!facts->parties.given) {
        finding_missing(finding, "parties");
        return false;
    }
    for (size_t i = 0; i < facts->parties.count; i++) {
        types[i] = facts->parties.items[i].type;
        if (!rule_text_given(types[i])) {
            finding_missing(finding, "parties.type");
            return false;
        }
    }
    *ret = (struct rule_texts){true, facts->parties.count, types};
    return true;
}

static bool
values_of(struct finding *finding, const char *name, struct rule_texts *ret)
{
    const struct rule_fact *fact;

    if (!strcmp(name, "party_types"))
        return party_types(finding, ret);
    fact = rule_case_find_fact(finding->facts, name);
    if (!fact) {
        finding_missing(finding, name);
        return false;
    }
    *ret = fact->values;
    return true;
}

void
constraint_allowed_values(struct finding *finding)
{
    const struct rule_param *allowed = finding_param(finding, "values");
    const struct rule_param *least = finding_param(finding, "min");
    const struct rule_param *limit = finding_param(finding, "max");
    const size_t min = least->given ? (size_t)least->number : 1;
    const bool refuse = !strcmp(finding_code(finding, "extra"), "refuse");
    struct rule_texts values;
    struct split split;
    size_t good;

    if (!values_of(finding, finding_code(finding, "fact"), &values))
        return;
    if (!split_values(finding, values, &split)) {
        finding->broken = true;
        return;
    }
    good = split.found_count - split.extra_count;
    finding_list(finding, "found", RULE_VALUE_CODES, split.found, split.found_count);
    finding_list(finding, "allowed", RULE_VALUE_CODES, allowed->texts.items,
                 allowed->texts.count);
    finding_list(finding, "extra", RULE_VALUE_CODES, split.extra, split.extra_count);
    if (refuse && split.extra_count) {
        finding_list(finding, "remove", RULE_VALUE_CODES, split.extra, split.extra_count);
        finding_fail(finding, "remove");
    } else if (good < min) {
        finding_list(finding, "missing_values", RULE_VALUE_CODES, split.absent,
                     split.absent_count);
        finding_number(finding, "add", (int64_t)(min - good));
        finding_fail(finding, "add");
    } else if (limit->given && good > (size_t)limit->number) {
        finding_list(finding, "remove", RULE_VALUE_CODES, split.found, split.found_count);
        finding_fail(finding, "remove");
    } else {
        finding_pass(finding);
    }
}

void
constraint_text_present(struct finding *finding)
{
    const struct rule_param *items = finding_param(finding, "items");

    for (size_t i = 0; i < items->texts.count; i++) {
        if (!rule_texts_have(finding->facts->texts, items->texts.items[i]))
            finding_missing(finding, items->texts.items[i]);
    }
    if (finding->outcome == RULE_UNKNOWN)
        return;
    finding_list(finding, "items", RULE_VALUE_CODES, items->texts.items, items->texts.count);
    finding_pass(finding);
}

/* The best answer given: YES before NO before none.  `by` NULL: by anybody. */
static enum rule_answer
signed_off(const struct rule_case *facts, const char *item, const char *by)
{
    enum rule_answer best = RULE_NOT_GIVEN;

    for (size_t i = 0; i < facts->sign_offs.count; i++) {
        const struct rule_sign_off *sign_off = &facts->sign_offs.items[i];
        if (!rule_text_given(sign_off->item) || strcmp(sign_off->item, item))
            continue;
        if (by && (!rule_text_given(sign_off->by) || strcmp(sign_off->by, by)))
            continue;
        if (sign_off->granted == RULE_YES)
            return RULE_YES;
        if (sign_off->granted == RULE_NO)
            best = RULE_NO;
    }
    return best;
}

void
constraint_sign_off(struct finding *finding)
{
    const char *item = finding_code(finding, "item");
    const struct rule_param *by = finding_param(finding, "by");
    const size_t count = by->given ? by->texts.count : 1;
    bool refused = false;

    for (size_t i = 0; i < count; i++) {
        const char *who = by->given ? by->texts.items[i] : NULL;
        const enum rule_answer answer = signed_off(finding->facts, item, who);
        refused |= answer == RULE_NO;
        if (answer == RULE_NOT_GIVEN)
            finding_missing_of(finding, who ? who : item, "approval");
    }
    if (finding->outcome == RULE_UNKNOWN && !refused)
        return;
    finding->missing_count = 0;
    finding->reason = "";
    finding_list(finding, "item", RULE_VALUE_CODES, &item, 1);
    if (by->given)
        finding_list(finding, "by", RULE_VALUE_CODES, by->texts.items, by->texts.count);
    if (refused)
        finding_fail(finding, "sign");
    else
        finding_pass(finding);
}

void
constraint_assessment(struct finding *finding)
{
    const char *item = finding_code(finding, "item");
    enum rule_answer positive = RULE_NOT_GIVEN;

    for (size_t i = 0; i < finding->facts->assessments.count; i++) {
        const struct rule_assessment *assessment = &finding->facts->assessments.items[i];
        if (rule_text_given(assessment->item) && !strcmp(assessment->item, item))
            positive = assessment->positive;
    }
    if (positive == RULE_NOT_GIVEN) {
        finding_missing(finding, item);
        return;
    }
    finding_list(finding, "item", RULE_VALUE_CODES, &item, 1);
    if (positive == RULE_YES)
        finding_pass(finding);
    else
        finding_fail(finding, "improve");
}

/* Whether somebody of the kinds takes part; without kinds, whether anybody does. */
static bool
takes_part(const struct rule_case *facts, const char *part, const struct rule_param *kinds)
{
    for (size_t i = 0; i < facts->participations.count; i++) {
        const struct rule_participation *item = &facts->participations.items[i];
        const struct rule_party *party;
        if (!rule_text_given(item->part) || strcmp(item->part, part))
            continue;
        if (!kinds->given)
            return true;
        party = rule_case_find_party(facts, item->organisation_id);
        if (party && rule_text_given(party->type) && rule_texts_have(kinds->texts, party->type))
            return true;
    }
    return false;
}

void
constraint_participation(struct finding *finding)
{
    const struct rule_param *kinds = finding_param(finding, "kinds");
    const struct rule_param *with_kinds = finding_param(finding, "with_kinds");
    const char *fact = finding_code(finding, "parts_of");
    struct rule_texts parts = finding_param(finding, "parts")->texts;
    const char **lacking;
    size_t count = 0;

    if (fact && !values_of(finding, fact, &parts))
        return;
    if (!finding->facts->participations.count) {
        finding_missing(finding, "participations");
        return;
    }
    lacking = ARENA_ARRAY(finding->arena, const char *, parts.count + 1);
    if (!lacking) {
        finding->broken = true;
        return;
    }
    for (size_t i = 0; i < parts.count; i++) {
        if (!takes_part(finding->facts, parts.items[i], kinds) ||
            !takes_part(finding->facts, parts.items[i], with_kinds))
            lacking[count++] = parts.items[i];
    }
    finding_list(finding, "parts", RULE_VALUE_CODES, parts.items, parts.count);
    if (!count) {
        finding_pass(finding);
        return;
    }
    finding_list(finding, "lacking", RULE_VALUE_CODES, lacking, count);
    finding_fail(finding, "involve");
}

void
constraint_measure(struct finding *finding)
{
    const char *name = finding_code(finding, "fact");
    const struct rule_param *min = finding_param(finding, "min");
    const struct rule_param *max = finding_param(finding, "max");
    const struct rule_measure *measure = rule_case_find_measure(finding->facts, name);

    if (!measure) {
        finding_missing(finding, name);
        return;
    }
    finding_number(finding, "found", measure->value);
    if (min->given)
        finding_number(finding, "min", min->number);
    if (max->given)
        finding_number(finding, "max", max->number);
    if (min->given && measure->value < min->number) {
        finding_number(finding, "add", min->number - measure->value);
        finding_fail(finding, "raise");
    } else if (max->given && measure->value > max->number) {
        finding_number(finding, "remove", measure->value - max->number);
        finding_fail(finding, "lower");
    } else {
        finding_pass(finding);
    }
}

/* Wilson's score interval at 95 %, in thousandths, rounded outwards. */
static void
wilson(double numerator, double denominator, int64_t *ret_low, int64_t *ret_high)
{
    const double z = 1.959963984540054;
    const double share = numerator / denominator;
    const double scale = 1.0 + z * z / denominator;
    const double centre = (share + z * z / (2.0 * denominator)) / scale;
    const double spread =
        z / scale *
        sqrt(share * (1.0 - share) / denominator + z * z / (4.0 * denominator * denominator));

    *ret_low = (int64_t)floor(fmax(0.0, centre - spread) * 1000.0);
    *ret_high = (int64_t)ceil(fmin(1.0, centre + spread) * 1000.0);
}

void
constraint_indicator(struct finding *finding)
{
    const char *name = finding_code(finding, "indicator");
    const struct rule_param *claim = finding_param(finding, "claim");
    const int64_t target = finding_param(finding, "target")->number;
    const struct rule_observation *seen = NULL;
    int64_t low, high, wanted;

    for (size_t i = 0; i < finding->facts->observations.count; i++) {
        const struct rule_observation *item = &finding->facts->observations.items[i];
        if (rule_text_given(item->indicator) && !strcmp(item->indicator, name))
            seen = item;
    }
    if (!seen || seen->denominator == 0) {
        finding_not_applicable(finding, "no_observation");
        return;
    }
    wilson((double)seen->numerator, (double)seen->denominator, &low, &high);
    finding_number(finding, "numerator", seen->numerator);
    finding_number(finding, "denominator", seen->denominator);
    finding_as(finding, "found", RULE_VALUE_PERCENT,
               (seen->numerator * 1000 + seen->denominator / 2) / seen->denominator);
    finding_as(finding, "low", RULE_VALUE_PERCENT, low);
    finding_as(finding, "high", RULE_VALUE_PERCENT, high);
    finding_as(finding, "target", RULE_VALUE_PERCENT, target);
    if (claim->given)
        finding_as(finding, "claim", RULE_VALUE_PERCENT, claim->number);
    wanted = (target * seen->denominator + 999) / 1000;
    if (seen->numerator >= wanted) {
        finding_pass(finding);
        return;
    }
    finding_number(finding, "add", wanted - seen->numerator);
    finding_fail(finding, "add");
}
