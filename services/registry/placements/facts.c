#include "services/registry/placements/facts.h"

#include <string.h>

#include "services/registry/organisations/rules.h"

#define ROLES 4
#define FACTS 1

static const char *const ownerships[] = {"", "public", "private", "mixed"};
static const char *const focus_areas[] = {
    "",           "product",  "market",    "process", "energy_efficiency",
    "competence", "research", "education",
};
/* The words of the rule set's states; terminated cases are not evaluated. */
static const char *const states[] = {
    "",           "drafted", "eligible",        "advertised", "associate_selected",
    "contracted", "started", "midway_reviewed", "ended",      "outcome_recorded",
};

static const char *
word(const char *const *words, size_t count, int number)
{
    return number > 0 && (size_t)number < count ? words[number] : "";
}

static void
add_id(const char **ids, size_t *count, const char *id)
{
    if (*id)
        ids[(*count)++] = id;
}

struct status
facts_ids(struct arena *arena, const Registry__V1__Placement *placement,
          const char ***ret_organisations, size_t *ret_organisation_count,
          const char ***ret_people, size_t *ret_person_count)
{
    const char **organisations, **people;
    size_t organisation_count = 0, person_count = 0;

    TRY(need(organisations =
                 ARENA_ARRAY(arena, const char *, placement->n_hei_organisation_ids + 1)));
    TRY(need(people = ARENA_ARRAY(arena, const char *, ROLES)));
    add_id(organisations, &organisation_count, placement->host_organisation_id);
    for (size_t i = 0; i < placement->n_hei_organisation_ids; i++)
        add_id(organisations, &organisation_count, placement->hei_organisation_ids[i]);
    add_id(people, &person_count, placement->academic_coach_id);
    add_id(people, &person_count, placement->business_coach_id);
    add_id(people, &person_count, placement->process_manager_id);
    add_id(people, &person_count, placement->associate_id);
    *ret_organisations = organisations;
    *ret_organisation_count = organisation_count;
    *ret_people = people;
    *ret_person_count = person_count;
    return OK;
}

static struct rule_number
number(bool given, int64_t value)
{
    return (struct rule_number){.given = given, .value = value};
}

static struct status
make_parties(struct arena *arena, const Registry__V1__Placement *placement,
             const struct placement_facts *facts, struct rule_case *ret)
{
    struct rule_party *parties;

    TRY(need(parties = ARENA_ARRAY(arena, struct rule_party, facts->party_count + 1)));
    for (size_t i = 0; i < facts->party_count; i++) {
        const struct party_facts *p = &facts->parties[i];
        const bool host = strcmp(p->id, placement->host_organisation_id) == 0;

        parties[i] = (struct rule_party){
            .organisation_id = p->id,
            .name = p->name,
            .role = host ? "host" : "partner",
            .type = rules_organisation_type_word((Registry__V1__OrganisationType)p->type),
            .country = p->country,
            .nuts = p->nuts,
            .ownership = word(ownerships, COUNT_OF(ownerships), p->ownership),
            .headcount = number(p->headcount_known, p->headcount),
            .turnover_eur = number(p->turnover_known, p->turnover_eur),
            .balance_eur = number(p->balance_known, p->balance_eur),
            .competitive_market = p->competitive_market ? RULE_YES : RULE_NO,
        };
    }
    ret->parties.given = facts->party_count > 0;
    ret->parties.count = facts->party_count;
    ret->parties.items = parties;
    return OK;
}

static const struct person_facts *
find_person(const struct placement_facts *facts, const char *id)
{
    for (size_t i = 0; i < facts->person_count; i++)
        if (strcmp(facts->persons[i].id, id) == 0)
            return &facts->persons[i];
    return NULL;
}

static struct status
make_persons(struct arena *arena, const Registry__V1__Placement *placement,
             const struct placement_facts *facts, struct rule_case *ret)
{
    const struct {
        const char *role, *id;
    } roles[ROLES] = {
        {"academic_coach", placement->academic_coach_id},
        {"business_coach", placement->business_coach_id},
        {"process_manager", placement->process_manager_id},
        {"associate", placement->associate_id},
    };
    struct rule_person *persons;
    size_t count = 0;

    TRY(need(persons = ARENA_ARRAY(arena, struct rule_person, ROLES)));
    for (size_t i = 0; i < ROLES; i++) {
        const struct person_facts *known =
            *roles[i].id ? find_person(facts, roles[i].id) : NULL;
        struct rule_person *person = &persons[count];

        if (!known)
            continue;
        person->role = roles[i].role;
        person->person_id = roles[i].id;
        person->affiliations =
            (struct rule_texts){true, known->affiliation_count, known->affiliations};
        person->degree_eqf = number(known->degree_eqf > 0, known->degree_eqf);
        if (*known->degree_on)
            (void)rule_date_parse(known->degree_on,
                                  &person->degree_date); /* checked when stored */
        count++;
    }
    ret->persons.count = count;
    ret->persons.items = persons;
    return OK;
}

static struct status
make_focus(struct arena *arena, const Registry__V1__Placement *placement, struct rule_case *ret)
{
    const size_t count = placement->n_focus + placement->n_unlisted_focus;
    struct rule_fact *focus;
    const char **words;

    TRY(need(focus = ARENA_ARRAY(arena, struct rule_fact, FACTS)));
    TRY(need(words = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t i = 0; i < placement->n_focus; i++)
        words[i] = word(focus_areas, COUNT_OF(focus_areas), (int)placement->focus[i]);
    for (size_t i = 0; i < placement->n_unlisted_focus; i++)
        words[placement->n_focus + i] = placement->unlisted_focus[i];
    focus->name = "focus";
    focus->values = (struct rule_texts){count > 0, count, words};
    ret->facts.count = FACTS;
    ret->facts.items = focus;
    return OK;
}

static struct status
make_rationale(struct arena *arena, const Registry__V1__Placement *placement,
               struct rule_case *ret)
{
    static const char *const present[] = {"strategic_rationale"};
    struct rule_sign_off *sign_off;

    ret->texts = (struct rule_texts){true, *placement->strategic_rationale ? 1 : 0, present};
    if (!placement->rationale_approved)
        return OK;
    TRY(need(sign_off = ARENA_NEW(arena, struct rule_sign_off)));
    *sign_off = (struct rule_sign_off){"strategic_rationale", "coaches", RULE_YES};
    ret->sign_offs.count = 1;
    ret->sign_offs.items = sign_off;
    return OK;
}

static struct status
make_indicator(struct arena *arena, const struct placement_facts *facts, struct rule_case *ret)
{
    struct rule_observation *observation;

    TRY(need(observation = ARENA_NEW(arena, struct rule_observation)));
    *observation = (struct rule_observation){"ktp_offered", facts->offered, facts->ended};
    ret->observations.count = 1;
    ret->observations.items = observation;
    return OK;
}

/* Dates have been checked when they were stored; "" stays not given. */
static struct rule_period
period(const char *start, const char *end)
{
    struct rule_period result = {0};

    if (*start)
        (void)rule_date_parse(start, &result.start);
    if (*end)
        (void)rule_date_parse(end, &result.end);
    return result;
}

struct status
facts_case(struct arena *arena, const Registry__V1__Placement *placement,
           Registry__V1__PlacementState state, const struct placement_facts *facts,
           struct rule_case *ret)
{
    struct rule_case result = {
        .state = word(states, COUNT_OF(states), (int)state),
        .period = period(placement->start, placement->end),
        .fte_thousandths = number(placement->fte_thousandths > 0, placement->fte_thousandths),
    };

    if (placement->funded_project) {
        result.funded_project_linked = true;
        result.funded_project =
            period(placement->funded_project->start, placement->funded_project->end);
    }
    TRY(make_parties(arena, placement, facts, &result));
    TRY(make_persons(arena, placement, facts, &result));
    TRY(make_focus(arena, placement, &result));
    TRY(make_rationale(arena, placement, &result));
    TRY(make_indicator(arena, facts, &result));
    *ret = result;
    return OK;
}
