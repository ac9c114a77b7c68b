#include "services/registry/programmes/constraints.h"

#include <string.h>

static bool
has_role(const struct rule_person *person, const char *role)
{
    return rule_text_given(person->person_id) && rule_text_given(person->role) &&
           !strcmp(person->role, role);
}

/* Whether a person belongs to a party of one of the kinds. */
static enum selection
is_affiliated(const struct finding *finding, const struct rule_person *person,
              const char **ret_missing)
{
    const struct rule_param *kinds = finding_param(finding, "affiliated_to");
    const struct rule_case *facts = finding->facts;
    enum selection result = SELECTION_NO;

    if (!facts->parties.given) {
        *ret_missing = "parties";
        return SELECTION_UNKNOWN;
    }
    if (!person->affiliations.given) {
        *ret_missing = "affiliation";
        return SELECTION_UNKNOWN;
    }
    for (size_t i = 0; i < person->affiliations.count; i++) {
        const struct rule_party *party =
            rule_case_find_party(facts, person->affiliations.items[i]);
        if (!party)
            continue;
        if (!rule_text_given(party->type)) {
            *ret_missing = "parties.type";
            result = SELECTION_UNKNOWN;
        } else if (rule_texts_have(kinds->texts, party->type)) {
            return SELECTION_YES;
        }
    }
    return result;
}

/* The best that is known of anybody in the role. */
static enum selection
role_affiliated(const struct finding *finding, const char *role, const char **ret_missing)
{
    const struct rule_case *facts = finding->facts;
    enum selection best = SELECTION_NO;

    for (size_t i = 0; i < facts->persons.count; i++) {
        enum selection one;
        if (!has_role(&facts->persons.items[i], role))
            continue;
        one = is_affiliated(finding, &facts->persons.items[i], ret_missing);
        if (one == SELECTION_YES)
            return SELECTION_YES;
        if (one == SELECTION_UNKNOWN)
            best = SELECTION_UNKNOWN;
    }
    return best;
}

static void
role_values(struct finding *finding, const char *role, int64_t found)
{
    const struct rule_param *min = finding_param(finding, "min");
    const struct rule_param *max = finding_param(finding, "max");
    const struct rule_param *kinds = finding_param(finding, "affiliated_to");

    finding_number(finding, "found", found);
    finding_list(finding, "role", RULE_VALUE_CODES, &role, 1);
    if (min->given)
        finding_number(finding, "min", min->number);
    if (max->given)
        finding_number(finding, "max", max->number);
    if (kinds->given)
        finding_list(finding, "kinds", RULE_VALUE_CODES, kinds->texts.items,
                     kinds->texts.count);
}

static void
judge_affiliation(struct finding *finding, const char *role, int64_t found)
{
    const char *missing = NULL;
    const enum selection affiliated = finding_param(finding, "affiliated_to")->given
                                          ? role_affiliated(finding, role, &missing)
                                          : SELECTION_YES;

    if (affiliated == SELECTION_UNKNOWN) {
        if (!strcmp(missing, "affiliation"))
            finding_missing_of(finding, role, missing);
        else
            finding_missing(finding, missing);
        return;
    }
    role_values(finding, role, found);
    if (affiliated == SELECTION_YES)
        finding_pass(finding);
    else
        finding_fail(finding, "affiliate");
}

void
constraint_role_filled(struct finding *finding)
{
    const struct rule_case *facts = finding->facts;
    const char *role = finding_code(finding, "role");
    const struct rule_param *least = finding_param(finding, "min");
    const struct rule_param *limit = finding_param(finding, "max");
    const int64_t min = least->given ? least->number : 1;
    int64_t found = 0;

    for (size_t i = 0; i < facts->persons.count; i++)
        found += has_role(&facts->persons.items[i], role);
    if (!found) {
        finding_missing(finding, role);
    } else if (found < min) {
        role_values(finding, role, found);
        finding_number(finding, "add", min - found);
        finding_fail(finding, "add");
    } else if (limit->given && found > limit->number) {
        role_values(finding, role, found);
        finding_number(finding, "remove", found - limit->number);
        finding_fail(finding, "remove");
    } else {
        judge_affiliation(finding, role, found);
    }
}

void
constraint_different_persons(struct finding *finding)
{
    const struct rule_param *roles = finding_param(finding, "roles");
    const struct rule_case *facts = finding->facts;
    bool same = false;

    for (size_t i = 0; i < roles->texts.count; i++) {
        const struct rule_person *one = rule_case_find_person(facts, roles->texts.items[i]);
        if (!one)
            finding_missing(finding, roles->texts.items[i]);
        for (size_t j = 0; one && j < i; j++) {
            const struct rule_person *other =
                rule_case_find_person(facts, roles->texts.items[j]);
            same |= other && !strcmp(one->person_id, other->person_id);
        }
    }
    if (finding->outcome == RULE_UNKNOWN && !same)
        return;
    finding->missing_count = 0;
    finding->reason = "";
    finding_list(finding, "roles", RULE_VALUE_CODES, roles->texts.items, roles->texts.count);
    if (same)
        finding_fail(finding, "replace");
    else
        finding_pass(finding);
}

void
constraint_degree_level(struct finding *finding)
{
    const char *role = finding_code(finding, "role");
    const int64_t min = finding_param(finding, "min_eqf")->number;
    const struct rule_person *person = rule_case_find_person(finding->facts, role);

    if (!person) {
        finding_missing(finding, role);
        return;
    }
    if (!person->degree_eqf.given) {
        finding_missing_of(finding, role, "degree_level");
        return;
    }
    finding_number(finding, "found", person->degree_eqf.value);
    finding_number(finding, "min", min);
    finding_list(finding, "role", RULE_VALUE_CODES, &role, 1);
    if (person->degree_eqf.value >= min)
        finding_pass(finding);
    else
        finding_fail(finding, "replace");
}

void
constraint_recency(struct finding *finding)
{
    const char *role = finding_code(finding, "role");
    const int64_t limit = finding_param(finding, "max_months")->number;
    const struct rule_person *person = rule_case_find_person(finding->facts, role);
    const struct rule_date start = finding->facts->period.start;
    struct rule_date latest;
    struct rule_span age = {0};

    if (!person)
        finding_missing(finding, role);
    else if (!rule_date_given(person->degree_date))
        finding_missing_of(finding, role, "degree_date");
    if (!rule_date_given(start))
        finding_missing(finding, "period.start");
    if (finding->outcome == RULE_UNKNOWN)
        return;
    latest = rule_date_add_months(person->degree_date, limit);
    if (rule_date_compare(person->degree_date, start) < 0)
        age = rule_date_span(person->degree_date, start);
    finding_date(finding, "degree_date", person->degree_date);
    finding_date(finding, "start", start);
    finding_span(finding, "age", age);
    finding_span(finding, "limit", (struct rule_span){.months = limit});
    if (rule_date_compare(start, latest) <= 0) {
        finding_pass(finding);
        return;
    }
    finding_span(finding, "over", rule_date_span(latest, start));
    finding_date(finding, "latest_start", latest);
    finding_fail(finding, "start_earlier");
}
