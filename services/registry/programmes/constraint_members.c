#include "services/registry/programmes/constraints.h"

#include <string.h>

static bool
is_programme_country(const struct rule_set *set, const char *country)
{
    return rule_texts_have(set->programme_countries, country);
}

static enum selection
select_by_scope(const struct finding *finding, const struct rule_party *party,
                const char **ret_missing)
{
    const char *scope = finding_code(finding, "scope");
    bool programme;

    if (!scope || !strcmp(scope, "any"))
        return SELECTION_YES;
    if (!rule_text_given(party->country)) {
        *ret_missing = "parties.country";
        return SELECTION_UNKNOWN;
    }
    programme = is_programme_country(finding->set, party->country);
    return programme == !strcmp(scope, "programme") ? SELECTION_YES : SELECTION_NO;
}

enum selection
constraint_select(const struct finding *finding, const struct rule_party *party,
                  const char **ret_missing)
{
    const struct rule_param *kinds = NULL;
    bool has_scope = false;

    for (size_t i = 0; finding->check->constraint->params[i].name; i++) {
        const struct rule_param *param = &finding->check->params[i];
        if (!strcmp(param->spec->name, "kinds"))
            kinds = param;
        has_scope |= !strcmp(param->spec->name, "scope");
    }
    if (kinds && kinds->given) {
        if (!rule_text_given(party->type)) {
            *ret_missing = "parties.type";
            return SELECTION_UNKNOWN;
        }
        if (!rule_texts_have(kinds->texts, party->type))
            return SELECTION_NO;
    }
    return has_scope ? select_by_scope(finding, party, ret_missing) : SELECTION_YES;
}

const struct rule_party *
constraint_party_of(const struct rule_case *facts, const char *role)
{
    const struct rule_party *found = NULL;

    for (size_t i = 0; i < facts->parties.count; i++) {
        const struct rule_party *party = &facts->parties.items[i];
        if (!rule_text_given(party->role) || strcmp(party->role, role))
            continue;
        if (found)
            return NULL;
        found = party;
    }
    return found;
}

static bool
in_regions(struct rule_texts regions, const char *nuts)
{
    for (size_t i = 0; i < regions.count; i++) {
        if (!strncmp(nuts, regions.items[i], strlen(regions.items[i])))
            return true;
    }
    return false;
}

/* YES when the member has all of the things asked for. */
static enum selection
has_all(struct rule_texts wanted, const struct rule_party *party, const char **ret_missing)
{
    if (!wanted.count)
        return SELECTION_YES;
    if (!party->has.given) {
        *ret_missing = "parties.has";
        return SELECTION_UNKNOWN;
    }
    for (size_t i = 0; i < wanted.count; i++) {
        if (!rule_texts_have(party->has, wanted.items[i]))
            return SELECTION_NO;
    }
    return SELECTION_YES;
}

static enum selection
count_selects(const struct finding *finding, const struct rule_party *party,
              const char **ret_missing)
{
    const struct rule_param *regions = finding_param(finding, "regions");
    const enum selection selected = constraint_select(finding, party, ret_missing);

    if (selected == SELECTION_NO)
        return SELECTION_NO;
    if (regions->given && rule_text_given(party->nuts) &&
        !in_regions(regions->texts, party->nuts))
        return SELECTION_NO;
    if (selected == SELECTION_YES && regions->given && !rule_text_given(party->nuts)) {
        *ret_missing = "parties.nuts";
        return SELECTION_UNKNOWN;
    }
    if (selected == SELECTION_UNKNOWN)
        return SELECTION_UNKNOWN;
    return has_all(finding_param(finding, "having")->texts, party, ret_missing);
}

struct tally {
    int64_t sure;     /* certainly counted */
    int64_t possible; /* not yet known */
    int64_t holders;  /* of the role, whatever they are */
    const char *missing;
};

static struct tally
tally_members(const struct finding *finding)
{
    const char *role = finding_code(finding, "role");
    const struct rule_case *facts = finding->facts;
    struct tally tally = {0};

    for (size_t i = 0; i < facts->parties.count; i++) {
        const struct rule_party *party = &facts->parties.items[i];
        if (role && (!rule_text_given(party->role) || strcmp(party->role, role)))
            continue;
        tally.holders++;
        switch (count_selects(finding, party, &tally.missing)) {
        case SELECTION_YES:
            tally.sure++;
            break;
        case SELECTION_UNKNOWN:
            tally.possible++;
            break;
        case SELECTION_NO:
            break;
        }
    }
    return tally;
}

static void
count_values(struct finding *finding, int64_t found)
{
    const struct rule_param *kinds = finding_param(finding, "kinds");
    const struct rule_param *min = finding_param(finding, "min");
    const struct rule_param *max = finding_param(finding, "max");
    const char *role = finding_code(finding, "role");

    finding_number(finding, "found", found);
    if (min->given)
        finding_number(finding, "min", min->number);
    if (max->given)
        finding_number(finding, "max", max->number);
    if (kinds->given)
        finding_list(finding, "kinds", RULE_VALUE_CODES, kinds->texts.items,
                     kinds->texts.count);
    if (role)
        finding_list(finding, "role", RULE_VALUE_CODES, &role, 1);
}

void
constraint_member_count(struct finding *finding)
{
    const char *role = finding_code(finding, "role");
    const struct rule_param *limit = finding_param(finding, "max");
    const struct rule_param *least = finding_param(finding, "min");
    const int64_t min = least->given ? least->number : 0;
    const int64_t max = limit->given ? limit->number : INT64_MAX;
    struct tally tally;

    if (!finding->facts->parties.given) {
        finding_missing(finding, role ? role : "parties");
        return;
    }
    tally = tally_members(finding);
    if (role && !tally.holders && min > 0) {
        finding_missing(finding, role);
        return;
    }
    /* A role that too many hold is one too many, whatever they are. */
    if (tally.sure > max || (role && tally.holders > max)) {
        const int64_t found = role ? tally.holders : tally.sure;
        count_values(finding, found);
        finding_number(finding, "remove", found - max);
        finding_fail(finding, "remove");
    } else if (tally.sure + tally.possible < min) {
        count_values(finding, tally.sure);
        if (role && tally.holders >= min) {
            finding_fail(finding, "replace");
        } else {
            finding_number(finding, "add", min - tally.sure - tally.possible);
            finding_fail(finding, "add");
        }
    } else if (tally.sure >= min && tally.sure + tally.possible <= max) {
        count_values(finding, tally.sure);
        finding_pass(finding);
    } else {
        finding_missing(finding, tally.missing);
    }
}

static bool
seen_before(const char *const *list, size_t count, const char *item)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(list[i], item))
            return true;
    }
    return false;
}

void
constraint_distinct_countries(struct finding *finding)
{
    const struct rule_case *facts = finding->facts;
    const int64_t min = finding_param(finding, "min")->number;
    const char **countries =
        ARENA_ARRAY(finding->arena, const char *, facts->parties.count + 1);
    size_t count = 0;
    int64_t possible = 0;

    if (!countries) {
        finding->broken = true;
        return;
    }
    if (!facts->parties.given) {
        finding_missing(finding, "parties");
        return;
    }
    for (size_t i = 0; i < facts->parties.count; i++) {
        const struct rule_party *party = &facts->parties.items[i];
        const char *missing;
        if (!rule_text_given(party->country))
            possible++;
        else if (constraint_select(finding, party, &missing) == SELECTION_YES &&
                 !seen_before(countries, count, party->country))
            countries[count++] = party->country;
    }
    if ((int64_t)count < min && (int64_t)count + possible >= min) {
        finding_missing(finding, "parties.country");
        return;
    }
    finding_number(finding, "found", (int64_t)count);
    finding_number(finding, "min", min);
    finding_list(finding, "countries", RULE_VALUE_CODES, countries, count);
    if ((int64_t)count >= min) {
        finding_pass(finding);
        return;
    }
    finding_number(finding, "add", min - (int64_t)count - possible);
    finding_fail(finding, "add");
}

/* Appends a name to a list of names "a; b". */
static const char *
name_appended(struct finding *finding, const char *list, const char *name)
{
    const char *longer = *list ? arena_printf(finding->arena, "%s; %s", list, name) : name;

    if (!longer)
        finding->broken = true;
    return longer ? longer : list;
}

/* Whether the check is about this member. */
static enum selection
member_concerned(const struct finding *finding, const struct rule_party *party,
                 const char **ret_missing)
{
    const char *flag = finding_code(finding, "flagged");
    const enum selection selected = constraint_select(finding, party, ret_missing);

    if (selected != SELECTION_YES || !flag)
        return selected;
    if (!party->has.given) {
        *ret_missing = "parties.has";
        return SELECTION_UNKNOWN;
    }
    return rule_texts_have(party->has, flag) ? SELECTION_YES : SELECTION_NO;
}

void
constraint_per_member(struct finding *finding)
{
    const struct rule_param *having = finding_param(finding, "having");
    const struct rule_case *facts = finding->facts;
    int64_t members = 0, complete = 0, unknown = 0;
    const char *lacking = "", *missing = "parties";

    for (size_t i = 0; i < facts->parties.count; i++) {
        const struct rule_party *party = &facts->parties.items[i];
        enum selection has = member_concerned(finding, party, &missing);
        if (has == SELECTION_NO)
            continue;
        members++;
        if (has == SELECTION_YES)
            has = has_all(having->texts, party, &missing);
        complete += has == SELECTION_YES;
        unknown += has == SELECTION_UNKNOWN;
        if (has == SELECTION_NO)
            lacking = name_appended(finding, lacking, rule_party_name(party));
    }
    if (!facts->parties.given || (unknown && !*lacking)) {
        finding_missing(finding, missing);
        return;
    }
    if (!members) {
        finding_not_applicable(finding, "no_members");
        return;
    }
    finding_number(finding, "members", members);
    finding_number(finding, "found", complete);
    finding_list(finding, "having", RULE_VALUE_CODES, having->texts.items, having->texts.count);
    if (!*lacking) {
        finding_pass(finding);
        return;
    }
    finding_text(finding, "lacking", lacking);
    finding_fail(finding, "complete");
}
