#include "services/registry/programmes/case.h"

#include <string.h>

bool
rule_texts_have(struct rule_texts texts, const char *text)
{
    for (size_t i = 0; i < texts.count; i++) {
        if (!strcmp(texts.items[i], text))
            return true;
    }
    return false;
}

const struct rule_person *
rule_case_find_person(const struct rule_case *facts, const char *role)
{
    for (size_t i = 0; i < facts->persons.count; i++) {
        const struct rule_person *person = &facts->persons.items[i];
        if (rule_text_given(person->person_id) && rule_text_given(person->role) &&
            !strcmp(person->role, role))
            return person;
    }
    return NULL;
}

const struct rule_fact *
rule_case_find_fact(const struct rule_case *facts, const char *name)
{
    for (size_t i = 0; i < facts->facts.count; i++) {
        const struct rule_fact *fact = &facts->facts.items[i];
        if (fact->values.given && rule_text_given(fact->name) && !strcmp(fact->name, name))
            return fact;
    }
    return NULL;
}

const struct rule_measure *
rule_case_find_measure(const struct rule_case *facts, const char *name)
{
    for (size_t i = 0; i < facts->measures.count; i++) {
        const struct rule_measure *measure = &facts->measures.items[i];
        if (rule_text_given(measure->name) && !strcmp(measure->name, name))
            return measure;
    }
    return NULL;
}

const struct rule_party *
rule_case_find_party(const struct rule_case *facts, const char *organisation_id)
{
    if (!rule_text_given(organisation_id))
        return NULL;
    for (size_t i = 0; i < facts->parties.count; i++) {
        const struct rule_party *party = &facts->parties.items[i];
        if (rule_text_given(party->organisation_id) &&
            !strcmp(party->organisation_id, organisation_id))
            return party;
    }
    return NULL;
}

const char *
rule_party_name(const struct rule_party *party)
{
    if (rule_text_given(party->name))
        return party->name;
    return rule_text_given(party->organisation_id) ? party->organisation_id : "?";
}

static struct status
check_count(size_t count, const char *field, struct arena *arena)
{
    if (count > RULE_CASE_ITEMS)
        return FAIL_FIELD(arena, field, "has %zu items; at most %d are allowed", count,
                          RULE_CASE_ITEMS);
    return OK;
}

static struct status
check_nested(const struct rule_case *facts, struct arena *arena)
{
    for (size_t i = 0; i < facts->parties.count; i++)
        TRY(check_count(facts->parties.items[i].has.count, "parties.has", arena));
    for (size_t i = 0; i < facts->persons.count; i++)
        TRY(check_count(facts->persons.items[i].affiliations.count, "persons.affiliations",
                        arena));
    for (size_t i = 0; i < facts->facts.count; i++)
        TRY(check_count(facts->facts.items[i].values.count, "values.items", arena));
    return OK;
}

/* Keeps every sum and product of the rules inside 64 bits. */
static struct status
check_amount(int64_t amount, const char *field, struct arena *arena)
{
    if (amount < 0 || amount > RULE_AMOUNT_MAX)
        return FAIL_FIELD(arena, field, "must be between 0 and %lld",
                          (long long)RULE_AMOUNT_MAX);
    return OK;
}

static struct status
check_amounts(const struct rule_case *facts, struct arena *arena)
{
    for (size_t i = 0; i < facts->budget.count; i++)
        TRY(check_amount(facts->budget.items[i].amount_minor, "budget.amount_minor", arena));
    for (size_t i = 0; i < facts->aids.count; i++)
        TRY(check_amount(facts->aids.items[i].amount_eur, "aids.amount_eur", arena));
    for (size_t i = 0; i < facts->measures.count; i++)
        TRY(check_amount(facts->measures.items[i].value, "measures.value", arena));
    for (size_t i = 0; i < facts->parties.count; i++) {
        const struct rule_party *party = &facts->parties.items[i];
        TRY(check_amount(party->headcount.value, "parties.headcount", arena));
        TRY(check_amount(party->turnover_eur.value, "parties.turnover_eur", arena));
        TRY(check_amount(party->balance_eur.value, "parties.balance_eur", arena));
    }
    for (size_t i = 0; i < facts->observations.count; i++) {
        const struct rule_observation *seen = &facts->observations.items[i];
        TRY(check_amount(seen->denominator, "observations.denominator", arena));
        if (seen->numerator < 0 || seen->numerator > seen->denominator)
            return FAIL_FIELD(arena, "observations.numerator",
                              "must be between 0 and the denominator");
    }
    return OK;
}

struct status
rule_case_check(const struct rule_case *facts, struct arena *arena)
{
    TRY(check_count(facts->parties.count, "parties", arena));
    TRY(check_count(facts->relations.count, "relations", arena));
    TRY(check_count(facts->persons.count, "persons", arena));
    TRY(check_count(facts->facts.count, "values", arena));
    TRY(check_count(facts->texts.count, "texts", arena));
    TRY(check_count(facts->sign_offs.count, "sign_offs", arena));
    TRY(check_count(facts->assessments.count, "assessments", arena));
    TRY(check_count(facts->participations.count, "participations", arena));
    TRY(check_count(facts->budget.count, "budget", arena));
    TRY(check_count(facts->aids.count, "aids", arena));
    TRY(check_count(facts->observations.count, "observations", arena));
    TRY(check_count(facts->measures.count, "measures", arena));
    TRY(check_count(facts->switches.count, "switches", arena));
    TRY(check_count(facts->overrides.count, "overrides", arena));
    TRY(check_count(facts->waivers.count, "waivers", arena));
    TRY(check_nested(facts, arena));
    return check_amounts(facts, arena);
}
