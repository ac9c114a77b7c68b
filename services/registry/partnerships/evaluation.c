#include "services/registry/partnerships/evaluation.h"

#include "registry/v1/placements.pb-c.h"
#include "services/registry/organisations/rules.h"
#include "services/registry/partnerships/rules.h"
#include "services/registry/partnerships/store.h"
#include "services/registry/placements/store_facts.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/registry.h"
#include "services/registry/values/values.h"

#define HAS_MOST 4

static const char *const ownerships[] = {"", "public", "private", "mixed"};

/* What a member has that rules ask for. */
static struct status
things_of(struct arena *arena, const Registry__V1__PartnershipMember *member,
          struct rule_texts *ret)
{
    const char **things = ARENA_ARRAY(arena, const char *, HAS_MOST);
    size_t count = 0;

    TRY(need(things));
    if (member->state == REGISTRY__V1__MEMBER_STATE__MEMBER_COMMITTED)
        things[count++] = "commitment";
    if (*member->task)
        things[count++] = "task";
    if (*member->benefit)
        things[count++] = "benefit";
    if (*member->added_value)
        things[count++] = "added_value";
    *ret = (struct rule_texts){true, count, things};
    return OK;
}

static struct status
make_party(struct arena *arena, const Registry__V1__PartnershipMember *member,
           const struct party_facts *p, struct rule_party *ret)
{
    *ret = (struct rule_party){
        .organisation_id = p->id,
        .name = p->name,
        .role =
            member->role == REGISTRY__V1__MEMBER_ROLE__COORDINATOR ? "coordinator" : "partner",
        .type = rules_organisation_type_word((Registry__V1__OrganisationType)p->type),
        .country = p->country,
        .nuts = p->nuts,
        .ownership = p->ownership > 0 && (size_t)p->ownership < COUNT_OF(ownerships)
                         ? ownerships[p->ownership]
                         : "",
        .headcount = {p->headcount_known, p->headcount},
        .turnover_eur = {p->turnover_known, p->turnover_eur},
        .balance_eur = {p->balance_known, p->balance_eur},
        .competitive_market = p->competitive_market ? RULE_YES : RULE_NO,
    };
    return things_of(arena, member, &ret->has);
}

static struct status
make_parties(struct call *call, const Registry__V1__Partnership *partnership,
             struct rule_case *facts)
{
    const char **ids = ARENA_ARRAY(call->arena, const char *, partnership->n_members + 1);
    struct rule_relation *relations;
    struct party_facts *known;
    struct rule_party *parties;
    size_t count = 0;

    TRY(need(ids));
    for (size_t i = 0; i < partnership->n_members; i++)
        if (rules_member_counts(partnership->members[i]->state))
            ids[count++] = partnership->members[i]->organisation_id;
    TRY(store_partnership_relations(call->tx, call->arena, ids, count, &relations,
                                    &facts->relations.count));
    TRY(store_fact_parties(call->tx, call->arena, ids, count, &known, &count));
    TRY(need(parties = ARENA_ARRAY(call->arena, struct rule_party, count + 1)));
    for (size_t i = 0; i < count; i++)
        TRY(make_party(call->arena, rules_partnership_member(partnership, known[i].id),
                       &known[i], &parties[i]));
    facts->relations.items = relations;
    facts->parties.given = count > 0;
    facts->parties.count = count;
    facts->parties.items = parties;
    return OK;
}

/* Dates have been checked when they were stored; "" stays not given. */
static struct rule_date
date(const char *text)
{
    struct rule_date result = {0};

    if (*text)
        (void)rule_date_parse(text, &result);
    return result;
}

static struct status
make_content(struct arena *arena, const Registry__V1__Partnership *partnership,
             struct rule_case *facts)
{
    static const char *const present[] = {"sustainability_plan"};
    struct rule_measure *outreach = ARENA_NEW(arena, struct rule_measure);
    struct rule_fact *activities = ARENA_NEW(arena, struct rule_fact);

    TRY(need(outreach));
    TRY(need(activities));
    *activities = (struct rule_fact){
        "activities",
        {partnership->n_activities > 0, partnership->n_activities, partnership->activities}};
    facts->facts.count = 1;
    facts->facts.items = activities;
    facts->texts =
        (struct rule_texts){true, *partnership->sustainability_plan ? 1 : 0, present};
    facts->period.start = date(partnership->start);
    facts->period.end = date(partnership->end);
    facts->follow_up = date(partnership->follow_up);
    if (partnership->outreach_target) {
        *outreach =
            (struct rule_measure){"outreach_target", (int64_t)partnership->outreach_target};
        facts->measures.count = 1;
        facts->measures.items = outreach;
    }
    return OK;
}

/* The programme's word for where the case stands; a submission is judged as submitted. */
static const char *
state_of(const struct rule_set *set, const Registry__V1__Partnership *partnership,
         Registry__V1__Verdict__Mode mode)
{
    static const char *const words[] = {"", "composing", "committed", "submitted"};
    const char *word = mode == REGISTRY__V1__VERDICT__MODE__SUBMISSION
                           ? "submitted"
                           : words[partnership->state];

    return rule_texts_have(set->states, word) ? word : NULL;
}

static struct status
emit_evaluated(struct call *call, const Registry__V1__Partnership *partnership,
               Registry__V1__Verdict__Overall previous, const Registry__V1__Verdict *verdict)
{
    Registry__V1__EligibilityEvaluated event = REGISTRY__V1__ELIGIBILITY_EVALUATED__INIT;

    event.partnership_id = partnership->partnership_id;
    event.verdict_id = verdict->verdict_id;
    event.overall = verdict->overall;
    event.previous = previous;
    event.rule_set_version = verdict->rule_set_version;
    TRY(need(event.failed_rules =
                 ARENA_ARRAY(call->arena, const char *, verdict->n_results + 1)));
    for (size_t i = 0; i < verdict->n_results; i++)
        if (verdict->results[i]->severity == REGISTRY__V1__RULE_RESULT__SEVERITY__HARD &&
            verdict->results[i]->outcome == REGISTRY__V1__RULE_RESULT__OUTCOME__FAIL)
            event.failed_rules[event.n_failed_rules++] = verdict->results[i]->rule_id;
    return call_emit(call, (struct outbox_event){.data = &event.base,
                                                 .subject = partnership->partnership_id,
                                                 .programme = partnership->programme_code});
}

struct status
partnership_evaluate(struct call *call, Registry__V1__Partnership *partnership,
                     const Registry__V1__EvaluatePartnershipRequest *how,
                     Registry__V1__Verdict **ret)
{
    const struct registry_state *registry = call->state;
    const struct wall now = clock_wall(call->clock);
    const struct rule_date today = programmes_day(now);
    const struct rule_set *set =
        programmes_find(registry->programmes, partnership->programme_code, 0, today);
    struct rule_case facts = {0};
    struct rule_verdict judged;
    Registry__V1__Verdict *verdict;

    if (!set)
        return FAIL(call->arena, FAILED_PRECONDITION, "there is no rule set for %s in force",
                    partnership->programme_code);
    facts.state = state_of(set, partnership, how->mode);
    facts.switches =
        (struct rule_texts){true, how->n_switches, (const char *const *)how->switches};
    TRY(make_parties(call, partnership, &facts));
    TRY(make_content(call->arena, partnership, &facts));
    TRY(rule_evaluate(set, &facts, (enum rule_mode)how->mode, today, call->arena, &judged));
    TRY(programmes_verdict(&judged, now, call->arena, &verdict));
    TRY(values_new_id(call->arena, call->clock, &verdict->verdict_id));
    verdict->subject_id = partnership->partnership_id;
    TRY(store_partnership_verdict(call->tx, call->arena, verdict->verdict_id,
                                  partnership->partnership_id, verdict));
    TRY(emit_evaluated(call, partnership, partnership->eligibility, verdict));
    partnership->eligibility = verdict->overall;
    return programmes_render(registry->programmes, verdict, call->lang, call->arena, ret);
}
