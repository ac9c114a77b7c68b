#include "services/matching/composition/test_facts.h"

#include <string.h>

#include "common/base/test.h"
#include "registry/v1/programmes.pb-c.h"
#include "services/matching/composition/model.h"

#define RULES_MAX 10

struct member {
    const char *id, *name, *type, *country;
    uint32_t fit;
};

static const struct member board[] = {
    {"01", "SE-university", "hei_university", "SE", 0},
    {"02", "FI-university", "hei_university", "FI", 0},
    {"03", "SE-firm", "company", "SE", 0},
};
static const struct member candidates[] = {
    {"11", "FI-firm", "company", "FI", 1000},
    {"12", "SE-firm-2", "company", "SE", 0},
    {"13", "DE-association", "association", "DE", 1000},
    {"14", "DE-authority", "authority", "DE", 500},
    {"15", "SE-authority", "authority", "SE", 0},
    {"16", "CA-university", "hei_university", "CA", 1000},
    {"17", "EE-firm", "company", "EE", 0},
};
static const char *programme_countries[] = {"SE", "FI", "DE", "EE"};
static const char *learning[] = {"hei_university", "hei_uas"};
static const char *business[] = {"company"};

static void *
made(void *memory)
{
    assert_non_null(memory);
    return memory;
}

static Matching__V1__CompositionFacts__Party **
parties(struct arena *arena, const struct member *members, size_t count)
{
    Matching__V1__CompositionFacts__Party **list =
        made(ARENA_ARRAY(arena, Matching__V1__CompositionFacts__Party *, count));

    for (size_t i = 0; i < count; i++) {
        list[i] = made(ARENA_NEW(arena, Matching__V1__CompositionFacts__Party));
        matching__v1__composition_facts__party__init(list[i]);
        list[i]->organisation_id = members[i].id;
        list[i]->name = members[i].name;
        list[i]->type = members[i].type;
        list[i]->country = members[i].country;
        list[i]->fit = members[i].fit;
        list[i]->reliability = 500;
        list[i]->novelty = 1000;
        list[i]->cost = 1;
    }
    return list;
}

Matching__V1__CompositionFacts__Rule *
test_facts_add_rule(struct arena *arena, Matching__V1__CompositionFacts *facts,
                    const char *rule_id, int kind)
{
    Matching__V1__CompositionFacts__Rule *rule =
        made(ARENA_NEW(arena, Matching__V1__CompositionFacts__Rule));

    assert_true(facts->n_rules < RULES_MAX);
    matching__v1__composition_facts__rule__init(rule);
    rule->rule_id = rule_id;
    rule->kind = (uint32_t)kind;
    facts->rules[facts->n_rules++] = rule;
    return rule;
}

static void
add_rules(struct arena *arena, Matching__V1__CompositionFacts *facts)
{
    const uint32_t programme = REGISTRY__V1__COMPOSITION_RULE__SCOPE__PROGRAMME_COUNTRY;
    const int count = REGISTRY__V1__COMPOSITION_RULE__KIND__MEMBER_COUNT;
    Matching__V1__CompositionFacts__Rule *rule;

    facts->rules = made(ARENA_ARRAY(arena, Matching__V1__CompositionFacts__Rule *, RULES_MAX));
    rule = test_facts_add_rule(arena, facts, "KA-01", count);
    rule->min = 6;
    rule->scope = programme;
    rule = test_facts_add_rule(arena, facts, "KA-02",
                               REGISTRY__V1__COMPOSITION_RULE__KIND__DISTINCT_COUNTRIES);
    rule->min = 3;
    rule->scope = programme;
    rule = test_facts_add_rule(arena, facts, "KA-03", count);
    rule->min = 2;
    rule->types = learning;
    rule->n_types = COUNT_OF(learning);
    rule = test_facts_add_rule(arena, facts, "KA-04", count);
    rule->min = 2;
    rule->types = business;
    rule->n_types = COUNT_OF(business);
    rule = test_facts_add_rule(arena, facts, "KA-06",
                               REGISTRY__V1__COMPOSITION_RULE__KIND__JUSTIFIED);
    rule->scope = REGISTRY__V1__COMPOSITION_RULE__SCOPE__PARTNER_COUNTRY;
}

Matching__V1__CompositionFacts *
test_facts_alliance(struct arena *arena)
{
    Matching__V1__CompositionFacts *facts =
        made(ARENA_NEW(arena, Matching__V1__CompositionFacts));

    matching__v1__composition_facts__init(facts);
    facts->question = made(ARENA_NEW(arena, Matching__V1__CompositionQuestion));
    matching__v1__composition_question__init(facts->question);
    facts->question->programme_code = "KA";
    facts->question->goal = MATCHING__V1__COMPOSITION_GOAL__SMALLEST;
    facts->question->sets_wanted = 5;
    facts->question->limit_ms = 20000;
    facts->weights_version = MODEL_WEIGHTS;
    facts->rule_set_version = "RS-KA v1";
    facts->programme_countries = programme_countries;
    facts->n_programme_countries = COUNT_OF(programme_countries);
    facts->board = parties(arena, board, COUNT_OF(board));
    facts->n_board = COUNT_OF(board);
    facts->candidates = parties(arena, candidates, COUNT_OF(candidates));
    facts->n_candidates = COUNT_OF(candidates);
    add_rules(arena, facts);
    return facts;
}

Matching__V1__CompositionFacts__Party *
test_facts_party(const Matching__V1__CompositionFacts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_board; i++)
        if (!strcmp(facts->board[i]->name, name))
            return facts->board[i];
    for (size_t i = 0; i < facts->n_candidates; i++)
        if (!strcmp(facts->candidates[i]->name, name))
            return facts->candidates[i];
    fail_msg("there is no %s", name);
    return NULL;
}

void
test_facts_remove(Matching__V1__CompositionFacts *facts, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < facts->n_candidates; i++)
        if (strcmp(facts->candidates[i]->name, name) != 0)
            facts->candidates[kept++] = facts->candidates[i];
    assert_int_equal(kept + 1, facts->n_candidates);
    facts->n_candidates = kept;
}

Matching__V1__CompositionFacts__Rule *
test_facts_rule(const Matching__V1__CompositionFacts *facts, const char *rule_id)
{
    for (size_t i = 0; i < facts->n_rules; i++)
        if (!strcmp(facts->rules[i]->rule_id, rule_id))
            return facts->rules[i];
    fail_msg("there is no %s", rule_id);
    return NULL;
}
