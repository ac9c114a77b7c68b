#include "services/registry/programmes/programmes.h"

_Static_assert((int)RULE_YES == REGISTRY__V1__RULE_CASE__ANSWER__YES &&
                   (int)RULE_NO == REGISTRY__V1__RULE_CASE__ANSWER__NO,
               "the engine's numbers are the contract's");

static enum rule_answer
answer(Registry__V1__RuleCase__Answer given)
{
    return given == REGISTRY__V1__RULE_CASE__ANSWER__YES  ? RULE_YES
           : given == REGISTRY__V1__RULE_CASE__ANSWER__NO ? RULE_NO
                                                          : RULE_NOT_GIVEN;
}

static struct status
date(const char *text, const char *field, struct arena *arena, struct rule_date *ret)
{
    if (!*text)
        return OK;
    if (!rule_date_parse(text, ret))
        return FAIL_FIELD(arena, field, "must be a date like 2024-01-31");
    return OK;
}

static struct status
period(const Registry__V1__RuleCase__Period *message, const char *start, const char *end,
       struct arena *arena, struct rule_period *ret)
{
    if (!message)
        return OK;
    TRY(date(message->start, start, arena, &ret->start));
    return date(message->end, end, arena, &ret->end);
}

static struct rule_texts
texts(const Registry__V1__RuleCase__TextList *message)
{
    if (!message)
        return (struct rule_texts){0};
    return (struct rule_texts){true, message->n_items, (const char *const *)message->items};
}

/* A number that 0 stands for not having. */
static struct status
number(uint64_t value, const char *field, struct arena *arena, struct rule_number *ret)
{
    if (value > (uint64_t)RULE_AMOUNT_MAX)
        return FAIL_FIELD(arena, field, "must be at most %lld", (long long)RULE_AMOUNT_MAX);
    *ret = (struct rule_number){value != 0, (int64_t)value};
    return OK;
}

static struct status
party(const Registry__V1__RuleCase__Party *message, struct arena *arena, struct rule_party *ret)
{
    *ret = (struct rule_party){
        .organisation_id = message->organisation_id,
        .name = message->name,
        .role = message->role,
        .type = message->type,
        .country = message->country,
        .nuts = message->nuts,
        .ownership = message->ownership,
        .headcount = {message->headcount_known, message->headcount},
        .competitive_market = answer(message->competitive_market),
        .has = texts(message->has),
    };
    TRY(number(message->turnover_eur, "facts.parties.items.turnover_eur", arena,
               &ret->turnover_eur));
    return number(message->balance_eur, "facts.parties.items.balance_eur", arena,
                  &ret->balance_eur);
}

static struct status
parties(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    const Registry__V1__RuleCase__Parties *list = message->parties;
    struct rule_party *items;

    if (!list)
        return OK;
    TRY(need(items = ARENA_ARRAY(arena, struct rule_party, list->n_items + 1)));
    for (size_t i = 0; i < list->n_items; i++)
        TRY(party(list->items[i], arena, &items[i]));
    ret->parties = (struct rule_parties){true, list->n_items, items};
    return OK;
}

static struct status
relations(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    struct rule_relation *items =
        ARENA_ARRAY(arena, struct rule_relation, message->n_relations + 1);

    TRY(need(items));
    for (size_t i = 0; i < message->n_relations; i++) {
        const Registry__V1__RuleCase__Relation *item = message->relations[i];
        items[i] = (struct rule_relation){.parent_id = item->parent_id,
                                          .child_id = item->child_id,
                                          .kind = item->kind,
                                          .share_thousandths = item->share_thousandths};
    }
    ret->relations.items = items;
    ret->relations.count = message->n_relations;
    return OK;
}

static struct status
persons(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    struct rule_person *items = ARENA_ARRAY(arena, struct rule_person, message->n_persons + 1);

    TRY(need(items));
    for (size_t i = 0; i < message->n_persons; i++) {
        const Registry__V1__RuleCase__Person *item = message->persons[i];
        if (item->degree_eqf > 8)
            return FAIL_FIELD(arena, "facts.persons.degree_eqf", "must be 1 to 8");
        items[i] =
            (struct rule_person){.role = item->role,
                                 .person_id = item->person_id,
                                 .affiliations = texts(item->affiliations),
                                 .degree_eqf = {item->degree_eqf != 0, item->degree_eqf}};
        TRY(date(item->degree_date, "facts.persons.degree_date", arena, &items[i].degree_date));
    }
    ret->persons.items = items;
    ret->persons.count = message->n_persons;
    return OK;
}

static struct status
values(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    struct rule_fact *items = ARENA_ARRAY(arena, struct rule_fact, message->n_values + 1);

    TRY(need(items));
    for (size_t i = 0; i < message->n_values; i++) {
        const Registry__V1__RuleCase__Values *item = message->values[i];
        items[i].name = item->fact;
        items[i].values =
            (struct rule_texts){true, item->n_items, (const char *const *)item->items};
    }
    ret->facts.items = items;
    ret->facts.count = message->n_values;
    return OK;
}

static struct status
decisions(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    struct rule_sign_off *sign_offs =
        ARENA_ARRAY(arena, struct rule_sign_off, message->n_sign_offs + 1);
    struct rule_assessment *assessments =
        ARENA_ARRAY(arena, struct rule_assessment, message->n_assessments + 1);
    struct rule_participation *participations =
        ARENA_ARRAY(arena, struct rule_participation, message->n_participations + 1);

    TRY(need(sign_offs));
    TRY(need(assessments));
    TRY(need(participations));
    for (size_t i = 0; i < message->n_sign_offs; i++)
        sign_offs[i] =
            (struct rule_sign_off){message->sign_offs[i]->item, message->sign_offs[i]->by,
                                   answer(message->sign_offs[i]->granted)};
    for (size_t i = 0; i < message->n_assessments; i++)
        assessments[i] = (struct rule_assessment){message->assessments[i]->item,
                                                  answer(message->assessments[i]->positive)};
    for (size_t i = 0; i < message->n_participations; i++)
        participations[i] = (struct rule_participation){
            message->participations[i]->part, message->participations[i]->organisation_id};
    ret->sign_offs.items = sign_offs;
    ret->sign_offs.count = message->n_sign_offs;
    ret->assessments.items = assessments;
    ret->assessments.count = message->n_assessments;
    ret->participations.items = participations;
    ret->participations.count = message->n_participations;
    return OK;
}

static struct status
budget(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    const Registry__V1__RuleCase__Budget *list = message->budget;
    struct rule_budget_line *items;

    if (!list)
        return OK;
    TRY(need(items = ARENA_ARRAY(arena, struct rule_budget_line, list->n_lines + 1)));
    for (size_t i = 0; i < list->n_lines; i++)
        items[i] = (struct rule_budget_line){
            list->lines[i]->organisation_id, list->lines[i]->payer, list->lines[i]->category,
            list->lines[i]->amount_minor, list->lines[i]->currency};
    ret->budget.given = true;
    ret->budget.items = items;
    ret->budget.count = list->n_lines;
    return OK;
}

static struct status
aids(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    const Registry__V1__RuleCase__Aids *list = message->aids;
    struct rule_aid *items;

    if (!list)
        return OK;
    TRY(need(items = ARENA_ARRAY(arena, struct rule_aid, list->n_items + 1)));
    for (size_t i = 0; i < list->n_items; i++) {
        struct rule_number amount = {0};
        TRY(number(list->items[i]->amount_eur, "facts.aids.items.amount_eur", arena, &amount));
        items[i].organisation_id = list->items[i]->organisation_id;
        items[i].amount_eur = amount.value;
        TRY(date(list->items[i]->decided, "facts.aids.items.decided", arena,
                 &items[i].decided));
    }
    ret->aids.given = true;
    ret->aids.items = items;
    ret->aids.count = list->n_items;
    return OK;
}

static struct status
figures(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    struct rule_observation *seen =
        ARENA_ARRAY(arena, struct rule_observation, message->n_observations + 1);
    struct rule_measure *measures =
        ARENA_ARRAY(arena, struct rule_measure, message->n_measures + 1);

    TRY(need(seen));
    TRY(need(measures));
    for (size_t i = 0; i < message->n_observations; i++) {
        const Registry__V1__RuleCase__Observation *item = message->observations[i];
        struct rule_number numerator = {0}, denominator = {0};
        TRY(number(item->numerator, "facts.observations.numerator", arena, &numerator));
        TRY(number(item->denominator, "facts.observations.denominator", arena, &denominator));
        seen[i] =
            (struct rule_observation){item->indicator, numerator.value, denominator.value};
    }
    for (size_t i = 0; i < message->n_measures; i++)
        measures[i] =
            (struct rule_measure){message->measures[i]->name, message->measures[i]->value};
    ret->observations.items = seen;
    ret->observations.count = message->n_observations;
    ret->measures.items = measures;
    ret->measures.count = message->n_measures;
    return OK;
}

static struct status
call_terms(const Registry__V1__RuleCase *message, struct arena *arena, struct rule_case *ret)
{
    struct rule_override *overrides =
        ARENA_ARRAY(arena, struct rule_override, message->n_overrides + 1);
    struct rule_waiver *waivers =
        ARENA_ARRAY(arena, struct rule_waiver, message->n_waivers + 1);

    TRY(need(overrides));
    TRY(need(waivers));
    for (size_t i = 0; i < message->n_overrides; i++)
        overrides[i] = (struct rule_override){message->overrides[i]->rule_id,
                                              message->overrides[i]->parameter,
                                              message->overrides[i]->value};
    for (size_t i = 0; i < message->n_waivers; i++) {
        const Registry__V1__RuleCase__Waiver *item = message->waivers[i];
        waivers[i] = (struct rule_waiver){
            .rule_id = item->rule_id, .granted_by = item->granted_by, .reason = item->reason};
        TRY(date(item->expires, "facts.waivers.expires", arena, &waivers[i].expires));
    }
    ret->overrides.items = overrides;
    ret->overrides.count = message->n_overrides;
    ret->waivers.items = waivers;
    ret->waivers.count = message->n_waivers;
    return OK;
}

struct status
programmes_case(const Registry__V1__RuleCase *message, struct arena *arena,
                struct rule_case *ret)
{
    struct rule_case facts = {
        .state = message->state,
        .fte_thousandths = {message->fte_thousandths != 0, message->fte_thousandths},
        .texts = texts(message->texts),
        .switches = texts(message->switches),
        .funded_project_linked = message->funded_project != NULL,
    };

    TRY(period(message->period, "facts.period.start", "facts.period.end", arena,
               &facts.period));
    TRY(period(message->funded_project, "facts.funded_project.start",
               "facts.funded_project.end", arena, &facts.funded_project));
    TRY(date(message->follow_up_date, "facts.follow_up_date", arena, &facts.follow_up));
    TRY(parties(message, arena, &facts));
    TRY(relations(message, arena, &facts));
    TRY(persons(message, arena, &facts));
    TRY(values(message, arena, &facts));
    TRY(decisions(message, arena, &facts));
    TRY(budget(message, arena, &facts));
    TRY(aids(message, arena, &facts));
    TRY(figures(message, arena, &facts));
    TRY(call_terms(message, arena, &facts));
    *ret = facts;
    return OK;
}
