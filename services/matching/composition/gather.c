#include "services/matching/composition/gather.h"

#include <stdlib.h>
#include <string.h>

#include "registry/v1/programmes.pb-c.h"
#include "services/matching/composition/model.h"
#include "services/matching/composition/store.h"

#define ASK_MS 3000
#define CONFIRM_MS 5000 /* for all sets together: solving has had its time before */

static struct status
ask_registry(struct call *call, const char *tenant_id, const char *method,
             const ProtobufCMessage *request, const ProtobufCMessageDescriptor *reply,
             struct mono deadline, ProtobufCMessage **ret)
{
    Wire__V1__Principal principal = *call->principal;
    struct rpc_options options = call_forward(call, NULL);

    principal.tenant_id = tenant_id;
    options.principal = &principal;
    options.deadline = deadline;
    return rpc_call(call->rpc, method, request, reply, &options, call->arena, ret);
}

static struct status
copy_rule(struct arena *arena, const Registry__V1__CompositionRule *rule,
          Matching__V1__CompositionFacts__Rule **ret)
{
    Matching__V1__CompositionFacts__Rule *copy =
        ARENA_NEW(arena, Matching__V1__CompositionFacts__Rule);

    TRY(need(copy));
    matching__v1__composition_facts__rule__init(copy);
    copy->rule_id = rule->rule_id;
    copy->kind = (uint32_t)rule->kind;
    copy->scope = (uint32_t)rule->scope;
    copy->types = rule->types;
    copy->n_types = rule->n_types;
    copy->nuts_prefixes = rule->nuts_prefixes;
    copy->n_nuts_prefixes = rule->n_nuts_prefixes;
    copy->min = rule->min;
    copy->max = rule->max;
    *ret = copy;
    return OK;
}

/* The share from which on owning makes dependent; 0: no rule asks. */
static struct status
read_rules(struct call *call, const char *tenant_id, Matching__V1__CompositionFacts *facts,
           uint32_t *ret_share)
{
    Registry__V1__GetCompositionRulesRequest request =
        REGISTRY__V1__GET_COMPOSITION_RULES_REQUEST__INIT;
    const Registry__V1__GetCompositionRulesReply *rules;
    ProtobufCMessage *reply;

    request.code = facts->question->programme_code;
    request.version = facts->question->rule_set_version;
    request.switches = facts->question->switches;
    request.n_switches = facts->question->n_switches;
    TRY(ask_registry(call, tenant_id, "registry.v1.Programmes/GetCompositionRules",
                     &request.base, &registry__v1__get_composition_rules_reply__descriptor,
                     mono_add_ms(clock_mono(call->clock), ASK_MS), &reply));
    rules = (const Registry__V1__GetCompositionRulesReply *)reply;
    facts->rule_set_version = rules->rule_set_version;
    facts->version = rules->version;
    facts->checksum = rules->checksum;
    facts->programme_countries = rules->programme_countries;
    facts->n_programme_countries = rules->n_programme_countries;
    TRY(need(facts->rules = ARENA_ARRAY(call->arena, Matching__V1__CompositionFacts__Rule *,
                                        rules->n_rules + 1)));
    *ret_share = 0;
    for (size_t i = 0; i < rules->n_rules; i++) {
        TRY(copy_rule(call->arena, rules->rules[i], &facts->rules[facts->n_rules++]));
        if (rules->rules[i]->kind == REGISTRY__V1__COMPOSITION_RULE__KIND__INDEPENDENT)
            *ret_share = rules->rules[i]->share_thousandths;
    }
    return OK;
}

/* Organisations that depend on each other: a forest over the ids, sorted. */
struct owners {
    const char **ids;
    size_t *parents;
    size_t count;
};

static int
compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static size_t
root_of(const struct owners *owners, size_t at)
{
    while (owners->parents[at] != at)
        at = owners->parents[at] = owners->parents[owners->parents[at]];
    return at;
}

/* Its place, or owners->count. */
static size_t
place_of(const struct owners *owners, const char *id)
{
    const char **found = owners->count ? bsearch(&id, owners->ids, owners->count,
                                                 sizeof *owners->ids, compare_texts)
                                       : NULL;

    return found ? (size_t)(found - owners->ids) : owners->count;
}

static struct status
join_owners(struct arena *arena, const struct composition_owner *edges, size_t count,
            struct owners *ret)
{
    struct owners owners = {.ids = ARENA_ARRAY(arena, const char *, 2 * count + 1),
                            .parents = ARENA_ARRAY(arena, size_t, 2 * count + 1)};
    size_t kept = 0;

    TRY(need(owners.ids));
    TRY(need(owners.parents));
    for (size_t i = 0; i < count; i++) {
        owners.ids[2 * i] = edges[i].parent_id;
        owners.ids[2 * i + 1] = edges[i].child_id;
    }
    qsort(owners.ids, 2 * count, sizeof *owners.ids, compare_texts);
    for (size_t i = 0; i < 2 * count; i++)
        if (!i || strcmp(owners.ids[i], owners.ids[kept - 1]))
            owners.ids[kept++] = owners.ids[i];
    owners.count = kept;
    for (size_t i = 0; i < kept; i++)
        owners.parents[i] = i;
    for (size_t i = 0; i < count; i++)
        owners.parents[root_of(&owners, place_of(&owners, edges[i].parent_id))] =
            root_of(&owners, place_of(&owners, edges[i].child_id));
    *ret = owners;
    return OK;
}

/* Numbers that fit a group of the pool, in the order in which parties name them. */
static void
number_owners(const struct owners *owners, uint32_t *numbers, uint32_t *next,
              Matching__V1__CompositionFacts__Party *const *parties, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const size_t at = place_of(owners, parties[i]->organisation_id);
        size_t root;

        if (at == owners->count)
            continue;
        root = root_of(owners, at);
        if (!numbers[root] && *next < UINT16_MAX)
            numbers[root] = ++*next;
        parties[i]->owner = numbers[root];
    }
}

static struct status
read_owners(struct call *call, struct pg_tx *tx, uint32_t share,
            Matching__V1__CompositionFacts *facts)
{
    struct composition_owner *edges;
    struct owners owners;
    uint32_t *numbers, next = 0;
    size_t count;

    TRY(composition_store_owners(tx, call->arena, share, &edges, &count));
    TRY(join_owners(call->arena, edges, count, &owners));
    TRY(need(numbers = ARENA_ARRAY(call->arena, uint32_t, owners.count + 1)));
    number_owners(&owners, numbers, &next, facts->board, facts->n_board);
    number_owners(&owners, numbers, &next, facts->candidates, facts->n_candidates);
    return OK;
}

static int
compare_candidates(const void *left, const void *right)
{
    const Matching__V1__CompositionCandidate *const *a = left, *const *b = right;

    return strcmp((*a)->organisation_id, (*b)->organisation_id);
}

/* Both lists are by id; a candidate that is named but not known is left out. */
static void
take_costs(const Matching__V1__CompositionQuestion *question,
           Matching__V1__CompositionFacts *facts)
{
    size_t at = 0;

    if (question->n_candidates)
        qsort(question->candidates, question->n_candidates, sizeof *question->candidates,
              compare_candidates);
    for (size_t i = 0; i < facts->n_candidates; i++) {
        while (at < question->n_candidates && strcmp(question->candidates[at]->organisation_id,
                                                     facts->candidates[i]->organisation_id) < 0)
            at++;
        if (at < question->n_candidates && question->candidates[at]->cost)
            facts->candidates[i]->cost = question->candidates[at]->cost;
    }
}

struct status
gather_facts(struct call *call, const char *tenant_id,
             Matching__V1__CompositionQuestion *question, Matching__V1__CompositionFacts **ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    Matching__V1__CompositionFacts *facts =
        ARENA_NEW(call->arena, Matching__V1__CompositionFacts);
    uint32_t share;

    TRY(need(facts));
    matching__v1__composition_facts__init(facts);
    facts->weights_version = MODEL_WEIGHTS;
    facts->question = question;
    TRY(read_rules(call, tenant_id, facts, &share));
    TRY(call_begin(call, tenant_id, true, &tx));
    TRY(composition_store_parties(&tx, call->arena, question, true, &facts->board,
                                  &facts->n_board));
    if (facts->n_board != question->n_board)
        return FAIL(call->arena, FAILED_PRECONDITION,
                    "an organisation on board is not known or not active");
    TRY(composition_store_parties(&tx, call->arena, question, false, &facts->candidates,
                                  &facts->n_candidates));
    take_costs(question, facts);
    if (share)
        TRY(read_owners(call, &tx, share, facts));
    *ret = facts;
    return OK;
}

static struct status
add_party(struct arena *arena, const Matching__V1__CompositionFacts__Party *from,
          Registry__V1__RuleCase__Parties *parties)
{
    Registry__V1__RuleCase__Party *party = ARENA_NEW(arena, Registry__V1__RuleCase__Party);

    TRY(need(party));
    registry__v1__rule_case__party__init(party);
    party->organisation_id = from->organisation_id;
    party->type = from->type;
    party->country = from->country;
    party->nuts = from->nuts;
    parties->items[parties->n_items++] = party;
    return OK;
}

/* Who of these have one owner, as far as the facts know, said to the checker as of one group.
 */
static struct status
add_relations(struct arena *arena, const Registry__V1__RuleCase__Parties *parties,
              const uint32_t *owners, Registry__V1__RuleCase *rule_case)
{
    TRY(need(rule_case->relations =
                 ARENA_ARRAY(arena, Registry__V1__RuleCase__Relation *, parties->n_items + 1)));
    for (size_t i = 0; i < parties->n_items; i++)
        for (size_t k = 0; owners[i] && k < i; k++) {
            Registry__V1__RuleCase__Relation *relation;

            if (owners[k] != owners[i])
                continue;
            TRY(need(relation = ARENA_NEW(arena, Registry__V1__RuleCase__Relation)));
            registry__v1__rule_case__relation__init(relation);
            relation->parent_id = parties->items[k]->organisation_id;
            relation->child_id = parties->items[i]->organisation_id;
            relation->kind = "same_group";
            rule_case->relations[rule_case->n_relations++] = relation;
            break; /* the others follow from this one */
        }
    return OK;
}

/* The candidate of a set, as the facts have it. */
static const Matching__V1__CompositionFacts__Party *
party_of(const Matching__V1__CompositionFacts *facts, const char *organisation_id)
{
    static const Matching__V1__CompositionFacts__Party unknown =
        MATCHING__V1__COMPOSITION_FACTS__PARTY__INIT;

    for (size_t i = 0; i < facts->n_candidates; i++)
        if (!strcmp(facts->candidates[i]->organisation_id, organisation_id))
            return facts->candidates[i];
    return &unknown;
}

static bool
asked(const Matching__V1__CompositionFacts *facts, const char *rule_id)
{
    /* A justification is somebody's to write, for members on board too. */
    for (size_t i = 0; i < facts->n_rules; i++)
        if (!strcmp(facts->rules[i]->rule_id, rule_id))
            return facts->rules[i]->kind !=
                   (uint32_t)REGISTRY__V1__COMPOSITION_RULE__KIND__JUSTIFIED;
    return false;
}

static struct status
passes(struct call *call, const Matching__V1__CompositionFacts *facts,
       const Registry__V1__Verdict *verdict)
{
    for (size_t i = 0; i < verdict->n_results; i++) {
        const Registry__V1__RuleResult *result = verdict->results[i];

        if (asked(facts, result->rule_id) &&
            result->outcome != REGISTRY__V1__RULE_RESULT__OUTCOME__PASS &&
            result->outcome != REGISTRY__V1__RULE_RESULT__OUTCOME__NOT_APPLICABLE)
            return FAIL(call->arena, INTERNAL, "the checker does not confirm a set: %s",
                        result->rule_id);
    }
    return OK;
}

/* The board and a set as the case that the checker judges. */
static struct status
make_case(struct arena *arena, const Matching__V1__CompositionFacts *facts,
          const Matching__V1__CompositionSet *set, Registry__V1__RuleCase__Parties *parties,
          Registry__V1__RuleCase *rule_case)
{
    const size_t most = facts->n_board + set->n_additions + 1;
    uint32_t *owners = ARENA_ARRAY(arena, uint32_t, most);

    TRY(need(owners));
    TRY(need(parties->items = ARENA_ARRAY(arena, Registry__V1__RuleCase__Party *, most)));
    for (size_t i = 0; i < facts->n_board; i++) {
        owners[parties->n_items] = facts->board[i]->owner;
        TRY(add_party(arena, facts->board[i], parties));
    }
    for (size_t i = 0; i < set->n_additions; i++) {
        const Matching__V1__CompositionFacts__Party *party =
            party_of(facts, set->additions[i]->organisation_id);

        owners[parties->n_items] = party->owner;
        TRY(add_party(arena, party, parties));
    }
    rule_case->parties = parties;
    return add_relations(arena, parties, owners, rule_case);
}

static struct status
confirm_set(struct call *call, const char *tenant_id,
            const Matching__V1__CompositionFacts *facts,
            const Matching__V1__CompositionSet *set, struct mono deadline)
{
    Registry__V1__CheckCaseRequest request = REGISTRY__V1__CHECK_CASE_REQUEST__INIT;
    Registry__V1__RuleCase rule_case = REGISTRY__V1__RULE_CASE__INIT;
    Registry__V1__RuleCase__Parties parties = REGISTRY__V1__RULE_CASE__PARTIES__INIT;
    Registry__V1__RuleCase__TextList switches = REGISTRY__V1__RULE_CASE__TEXT_LIST__INIT;
    ProtobufCMessage *reply;

    TRY(make_case(call->arena, facts, set, &parties, &rule_case));
    switches.items = facts->question->switches;
    switches.n_items = facts->question->n_switches;
    rule_case.switches = &switches;
    request.code = facts->question->programme_code;
    request.version = facts->version;
    request.mode = REGISTRY__V1__VERDICT__MODE__DRAFT;
    request.facts = &rule_case;
    TRY(ask_registry(call, tenant_id, "registry.v1.Programmes/CheckCase", &request.base,
                     &registry__v1__check_case_reply__descriptor, deadline, &reply));
    return passes(call, facts, ((const Registry__V1__CheckCaseReply *)reply)->verdict);
}

struct status
gather_confirm(struct call *call, const char *tenant_id,
               const Matching__V1__CompositionFacts *facts,
               const Matching__V1__CompositionRun *run)
{
    const struct mono deadline = mono_add_ms(clock_mono(call->clock), CONFIRM_MS);

    for (size_t i = 0; i < run->n_sets; i++)
        TRY(confirm_set(call, tenant_id, facts, run->sets[i], deadline));
    return OK;
}
