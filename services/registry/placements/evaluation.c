#include "services/registry/placements/evaluation.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "registry/v1/profiles.pb-c.h"
#include "services/registry/concepts/skills.h"
#include "services/registry/placements/facts.h"
#include "services/registry/placements/handlers.h"
#include "services/registry/placements/rules.h"
#include "services/registry/placements/store_facts.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/registry.h"
#include "services/registry/values/values.h"

#define LISTING "verdicts"

struct status
placement_label(struct call *call, Registry__V1__Placement *const *placements, size_t count)
{
    struct skill_list *lists;

    TRY(need(lists = ARENA_ARRAY(call->arena, struct skill_list, count + 1)));
    for (size_t i = 0; i < count; i++)
        lists[i] = (struct skill_list){placements[i]->skills, placements[i]->n_skills};
    return skills_label(call->tx, call->arena, call->lang, lists, count, NULL);
}

struct outbox_event
placement_event(const struct placement_row *row, const ProtobufCMessage *data)
{
    return (struct outbox_event){.data = data,
                                 .subject = row->placement->placement_id,
                                 .programme = row->placement->programme_code,
                                 .nuts = row->placement->nuts};
}

struct status
placement_moved(struct call *call, const struct placement_row *row)
{
    const Registry__V1__Placement *placement = row->placement;
    Registry__V1__PlacementStateChanged moved = REGISTRY__V1__PLACEMENT_STATE_CHANGED__INIT;
    Registry__V1__ProfilesChanged changed = REGISTRY__V1__PROFILES_CHANGED__INIT;
    Registry__V1__ProfileKey key = REGISTRY__V1__PROFILE_KEY__INIT;
    Registry__V1__ProfileKey *keys[] = {&key};

    moved.placement_id = placement->placement_id;
    moved.state = placement->state;
    TRY(call_emit(call, placement_event(row, &moved.base)));
    key.kind = "placement";
    key.id = placement->placement_id;
    changed.profiles = keys;
    changed.n_profiles = COUNT_OF(keys);
    return call_emit(call, placement_event(row, &changed.base));
}

static struct status
gather(struct call *call, const Registry__V1__Placement *placement, struct placement_facts *ret)
{
    const char **organisations, **people;
    size_t organisation_count, person_count;
    struct party_facts *parties;
    struct person_facts *persons;
    struct placement_facts facts;

    TRY(facts_ids(call->arena, placement, &organisations, &organisation_count, &people,
                  &person_count));
    TRY(store_fact_parties(call->tx, call->arena, organisations, organisation_count, &parties,
                           &facts.party_count));
    TRY(store_fact_persons(call->tx, call->arena, people, person_count, &persons,
                           &facts.person_count));
    TRY(store_fact_outcomes(call->tx, call->arena, &facts.offered, &facts.ended));
    facts.parties = parties;
    facts.persons = persons;
    *ret = facts;
    return OK;
}

static bool
fails(const Registry__V1__RuleResult *result)
{
    return result->severity == REGISTRY__V1__RULE_RESULT__SEVERITY__HARD &&
           result->outcome == REGISTRY__V1__RULE_RESULT__OUTCOME__FAIL;
}

static struct status
emit_evaluated(struct call *call, const struct placement_row *row, const char *verdict_id,
               Registry__V1__Verdict__Overall previous, const Registry__V1__Verdict *verdict)
{
    Registry__V1__EligibilityEvaluated event = REGISTRY__V1__ELIGIBILITY_EVALUATED__INIT;

    event.placement_id = row->placement->placement_id;
    event.verdict_id = verdict_id;
    event.overall = verdict->overall;
    event.previous = previous;
    event.rule_set_version = verdict->rule_set_version;
    TRY(need(event.failed_rules =
                 ARENA_ARRAY(call->arena, const char *, verdict->n_results + 1)));
    for (size_t i = 0; i < verdict->n_results; i++)
        if (fails(verdict->results[i]))
            event.failed_rules[event.n_failed_rules++] = verdict->results[i]->rule_id;
    return call_emit(call, placement_event(row, &event.base));
}

/* Asks the programme's rule set in force; the verdict has no words yet. */
static struct status
judge(struct call *call, const char *programme_code, const struct rule_case *facts,
      Registry__V1__Verdict__Mode mode, Registry__V1__Verdict **ret)
{
    const struct registry_state *registry = call->state;
    const struct wall now = clock_wall(call->clock);
    const struct rule_date today = programmes_day(now);
    const struct rule_set *set =
        programmes_find(registry->programmes, programme_code, 0, today);
    struct rule_verdict verdict;

    if (!set)
        return FAIL(call->arena, FAILED_PRECONDITION, "there is no rule set for %s in force",
                    programme_code);
    TRY(rule_evaluate(set, facts, (enum rule_mode)mode, today, call->arena, &verdict));
    return programmes_verdict(&verdict, now, call->arena, ret);
}

struct status
evaluate_placement_as(struct call *call, struct placement_row *row,
                      Registry__V1__PlacementState state, Registry__V1__Verdict__Mode mode,
                      Registry__V1__Verdict **ret)
{
    const struct registry_state *registry = call->state;
    Registry__V1__Placement *placement = row->placement;
    Registry__V1__Verdict__Overall previous;
    struct placement_facts facts;
    struct rule_case rule_case;
    Registry__V1__Verdict *verdict;
    const char *id;

    TRY(gather(call, placement, &facts));
    TRY(facts_case(call->arena, placement, state, &facts, &rule_case));
    TRY(judge(call, placement->programme_code, &rule_case, mode, &verdict));
    TRY(store_verdict_last(call->tx, call->arena, placement->placement_id, &previous));
    TRY(values_new_id(call->arena, call->clock, &id));
    verdict->verdict_id = id;
    verdict->subject_id = placement->placement_id;
    TRY(store_verdict_insert(call->tx, call->arena, id, placement->placement_id, verdict));
    placement->eligibility = verdict->overall;
    TRY(emit_evaluated(call, row, id, previous, verdict));
    return programmes_render(registry->programmes, verdict, call->lang, call->arena, ret);
}

struct status
evaluation_allows(struct arena *arena, const Registry__V1__Verdict *verdict)
{
    char *rules = arena_copy(arena, "");

    TRY(need(rules));
    if (verdict->overall == REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE ||
        verdict->overall == REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE_WITH_WAIVER)
        return OK;
    for (size_t i = 0; i < verdict->n_results; i++)
        if (fails(verdict->results[i]))
            TRY(need(rules = arena_printf(arena, "%s%s%s", rules, *rules ? ", " : "",
                                          verdict->results[i]->rule_id)));
    return FAIL(arena, FAILED_PRECONDITION, "the placement is not eligible: %s", rules);
}

struct status
evaluate_placement(struct call *call, const Registry__V1__EvaluatePlacementRequest *request,
                   Registry__V1__EvaluatePlacementReply *reply)
{
    Registry__V1__Verdict__Mode mode = request->mode;
    struct placement_row row;

    TRY(values_id(call->arena, "placement_id", request->placement_id, true));
    TRY(values_enum(call->arena, "mode", &registry__v1__verdict__mode__descriptor, (int)mode,
                    false));
    if (!mode)
        mode = REGISTRY__V1__VERDICT__MODE__DRAFT;
    TRY(store_placement_get(call->tx, call->arena, request->placement_id, &row));
    if (row.placement->state == REGISTRY__V1__PLACEMENT_STATE__TERMINATED)
        return FAIL(call->arena, FAILED_PRECONDITION, "the placement is terminated");

    const bool draft = row.placement->state == REGISTRY__V1__PLACEMENT_STATE__DRAFTED;

    TRY(evaluate_placement_as(call, &row, row.placement->state, mode, &reply->verdict));
    if (draft && mode == REGISTRY__V1__VERDICT__MODE__SUBMISSION &&
        !failed(evaluation_allows(call->arena, reply->verdict)))
        row.placement->state = REGISTRY__V1__PLACEMENT_STATE__ELIGIBLE_PLACEMENT;
    TRY(store_placement_step(call->tx, call->arena, &row, row.placement->version));
    reply->placement = row.placement;
    return placement_label(call, &reply->placement, 1);
}

struct status
list_verdicts(struct call *call, const Registry__V1__ListVerdictsRequest *request,
              Registry__V1__ListVerdictsReply *reply)
{
    const struct registry_state *registry = call->state;
    const char *ignored, *before, *listing;
    struct verdict_row *rows;
    uint32_t limit;
    size_t count;

    TRY(values_id(call->arena, "placement_id", request->placement_id, true));
    TRY(values_page_size(call->arena, request->page_size, &limit));
    TRY(need(listing = arena_printf(call->arena, LISTING "\n%s", request->placement_id)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &before));
    TRY(store_verdict_list(call->tx, call->arena, request->placement_id, before, limit + 1,
                           &rows, &count));
    if (count > limit) {
        count = limit;
        TRY(cursor_make(call->arena, call->tenant_id, listing, "", rows[count - 1].id,
                        &reply->next_page_token));
    }
    TRY(need(reply->verdicts = ARENA_ARRAY(call->arena, Registry__V1__Verdict *, count + 1)));
    for (size_t i = 0; i < count; i++)
        TRY(programmes_render(registry->programmes, rows[i].verdict, call->lang, call->arena,
                              &reply->verdicts[i]));
    reply->n_verdicts = count;
    return OK;
}
