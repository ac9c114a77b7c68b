#include "services/matching/composition/model.h"

#include <string.h>

#include "registry/v1/programmes.pb-c.h"

#define KINDS 3u
#define NO_BAR SIZE_MAX
#define KIND(name) REGISTRY__V1__COMPOSITION_RULE__KIND__##name

struct build {
    struct arena *arena;
    const Matching__V1__CompositionFacts *facts;
    const Matching__V1__CompositionFacts__Rule *countries; /* the rule that counts them */
    const char *classes[POOL_CLASSES_MAX];
    size_t class_count;
    size_t *bars; /* by rule of the facts: its row in model.all, or NO_BAR */
    struct model model;
};

unsigned
model_kind(const char *type)
{
    static const char *const learning[] = {"hei_university", "hei_uas", "research_institute"};
    static const char *const business[] = {"company", "business_promotion", "chamber"};

    for (size_t i = 0; i < COUNT_OF(learning); i++)
        if (!strcmp(type, learning[i]))
            return 0;
    for (size_t i = 0; i < COUNT_OF(business); i++)
        if (!strcmp(type, business[i]))
            return 1;
    return 2;
}

static bool
among(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(texts[i], text))
            return true;
    return false;
}

static bool
starts_with_one(const char *const *prefixes, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (!strncmp(text, prefixes[i], strlen(prefixes[i])))
            return true;
    return false;
}

/* Whether a rule is about this party. */
static bool
selects(const struct build *build, const Matching__V1__CompositionFacts__Rule *rule,
        const Matching__V1__CompositionFacts__Party *party)
{
    const bool programme = among(build->facts->programme_countries,
                                 build->facts->n_programme_countries, party->country);

    if (rule->scope &&
        programme != (rule->scope == REGISTRY__V1__COMPOSITION_RULE__SCOPE__PROGRAMME_COUNTRY))
        return false;
    if (rule->n_types && !among(rule->types, rule->n_types, party->type))
        return false;
    return !rule->n_nuts_prefixes ||
           starts_with_one(rule->nuts_prefixes, rule->n_nuts_prefixes, party->nuts);
}

static struct status
add_rule(struct build *build, const char *rule_id, const char *concept_id,
         struct conflict_rule rule)
{
    struct model *model = &build->model;

    if (model->rule_count == CONFLICT_RULES_MAX)
        return FAIL(build->arena, FAILED_PRECONDITION, "the rule set has too many rules");
    model->rule_ids[model->rule_count] = rule_id;
    model->concept_ids[model->rule_count] = concept_id;
    model->rules[model->rule_count++] = rule;
    return OK;
}

/* The members on board that a rule counts; of those with one owner only one when it asks for
 * independent ones. */
static uint32_t
counted_on_board(const struct build *build, const Matching__V1__CompositionFacts__Rule *rule)
{
    const Matching__V1__CompositionFacts *facts = build->facts;
    uint32_t found = 0;

    for (size_t i = 0; i < facts->n_board; i++) {
        bool again = false;

        for (size_t k = 0; rule->kind == KIND(INDEPENDENT) && k < i; k++)
            again |= facts->board[i]->owner && facts->board[k]->owner == facts->board[i]->owner;
        found += selects(build, rule, facts->board[i]) && !again;
    }
    return found;
}

static struct status
add_row(struct build *build, uint32_t needed, uint32_t limit, uint32_t forfeit, size_t *ret)
{
    struct pool *pool = &build->model.pool;

    if (pool->row_count == POOL_ROWS_MAX || needed > POOL_NEED_MAX)
        return FAIL(build->arena, FAILED_PRECONDITION,
                    "the rule set asks for more than the composer can weigh");
    pool->rows[pool->row_count] = (struct pool_row){
        (uint8_t)needed, limit > POOL_NEED_MAX ? POOL_NO_LIMIT : (uint8_t)limit, forfeit};
    *ret = pool->row_count++;
    return OK;
}

/* A row for a rule that counts members; `rows[r]` tells later which rule the row is of. */
static struct status
add_count(struct build *build, const Matching__V1__CompositionFacts__Rule *rule,
          const Matching__V1__CompositionFacts__Rule **rows)
{
    const uint32_t found = counted_on_board(build, rule);
    const uint32_t missing = rule->min > found ? rule->min - found : 0;
    size_t row;

    if (rule->max && found > rule->max) {
        build->model.broken = rule->rule_id;
        return OK;
    }
    if (!missing && !rule->max)
        return OK;
    TRY(add_row(build, missing, rule->max ? rule->max - found : UINT32_MAX, 0, &row));
    rows[row] = rule;
    return add_rule(build, rule->rule_id, NULL,
                    (struct conflict_rule){.rows = UINT64_C(1) << row,
                                           .groups = rule->kind == KIND(INDEPENDENT)});
}

static bool
on_board(const struct build *build, const char *country)
{
    for (size_t i = 0; i < build->facts->n_board; i++)
        if (!strcmp(build->facts->board[i]->country, country))
            return true;
    return false;
}

static struct status
add_countries(struct build *build, const Matching__V1__CompositionFacts__Rule *rule)
{
    const Matching__V1__CompositionFacts *facts = build->facts;
    uint32_t found = 0;

    if (build->countries)
        return FAIL(build->arena, FAILED_PRECONDITION,
                    "the rule set counts countries in more than one way");
    build->countries = rule;
    for (size_t i = 0; i < facts->n_board; i++) {
        bool again = !selects(build, rule, facts->board[i]);

        for (size_t k = 0; k < i && !again; k++)
            again = selects(build, rule, facts->board[k]) &&
                    !strcmp(facts->board[k]->country, facts->board[i]->country);
        found += !again;
    }
    if (rule->min <= found)
        return OK;
    if (rule->min - found > POOL_NEED_MAX)
        return FAIL(build->arena, FAILED_PRECONDITION,
                    "the rule set asks for more than the composer can weigh");
    build->model.pool.distinct_need = rule->min - found;
    return add_rule(build, rule->rule_id, NULL, (struct conflict_rule){.classes = true});
}

/* Whether two on board that the rule is about have one owner. */
static bool
depend_on_board(const struct build *build, const Matching__V1__CompositionFacts__Rule *rule)
{
    const Matching__V1__CompositionFacts *facts = build->facts;

    for (size_t i = 0; i < facts->n_board; i++)
        for (size_t k = 0; k < i; k++)
            if (facts->board[i]->owner && facts->board[i]->owner == facts->board[k]->owner &&
                selects(build, rule, facts->board[i]) && selects(build, rule, facts->board[k]))
                return true;
    return false;
}

static struct status
add_rules(struct build *build, const Matching__V1__CompositionFacts__Rule **rows)
{
    const Matching__V1__CompositionFacts *facts = build->facts;

    for (size_t i = 0; i < facts->n_rules; i++) {
        const Matching__V1__CompositionFacts__Rule *rule = facts->rules[i];

        if (rule->kind == KIND(MEMBER_COUNT) ||
            (rule->kind == KIND(INDEPENDENT) && rule->min)) {
            TRY(add_count(build, rule, rows));
        } else if (rule->kind == KIND(INDEPENDENT)) {
            if (depend_on_board(build, rule))
                build->model.broken = rule->rule_id;
            TRY(add_rule(build, rule->rule_id, NULL, (struct conflict_rule){.groups = true}));
        } else if (rule->kind == KIND(DISTINCT_COUNTRIES)) {
            TRY(add_countries(build, rule));
        } else if (rule->kind == KIND(ALLOWED_TYPES)) {
            for (size_t k = 0; k < facts->n_board; k++)
                if (!among(rule->types, rule->n_types, facts->board[k]->type))
                    build->model.broken = rule->rule_id;
        }
    }
    return OK;
}

/* Required concepts that nobody on board offers, and kinds that nobody on board is of. */
static struct status
add_wishes(struct build *build, size_t concept_rows[32], size_t kind_rows[KINDS])
{
    const Matching__V1__CompositionFacts *facts = build->facts;
    uint32_t offered = 0, kinds = 0;

    for (size_t i = 0; i < facts->n_board; i++) {
        offered |= facts->board[i]->required;
        kinds |= 1u << model_kind(facts->board[i]->type);
    }
    for (size_t c = 0; c < facts->question->n_required && c < 32; c++) {
        concept_rows[c] = SIZE_MAX;
        if (offered >> c & 1)
            continue;
        TRY(add_row(build, 1, UINT32_MAX, 0, &concept_rows[c]));
        TRY(add_rule(build, NULL, facts->question->required[c],
                     (struct conflict_rule){.rows = UINT64_C(1) << concept_rows[c]}));
    }
    for (unsigned k = 0; k < KINDS; k++) {
        kind_rows[k] = SIZE_MAX;
        if (!(kinds >> k & 1))
            TRY(add_row(build, 1, UINT32_MAX, MODEL_KIND, &kind_rows[k]));
    }
    return OK;
}

/* Whether a rule about each single member keeps this one out. */
static bool
bars(const struct build *build, const Matching__V1__CompositionFacts__Rule *rule,
     const Matching__V1__CompositionFacts__Party *party)
{
    const Matching__V1__CompositionFacts *facts = build->facts;

    if (rule->kind == KIND(ALLOWED_TYPES))
        return !among(rule->types, rule->n_types, party->type);
    if (rule->kind == KIND(JUSTIFIED))
        return selects(build, rule, party); /* nobody has written why */
    for (size_t k = 0; rule->kind == KIND(INDEPENDENT) && party->owner && k < facts->n_board;
         k++)
        if (selects(build, rule, party) && facts->board[k]->owner == party->owner)
            return true;
    return false;
}

/* The row of a rule that keeps somebody out; to name conflicts, the rule is known by it. */
static struct status
bar_of(struct build *build, size_t rule, size_t *ret)
{
    const char *rule_id = build->facts->rules[rule]->rule_id;
    struct model *model = &build->model;
    size_t at = 0;

    if (build->bars[rule] == NO_BAR) {
        if (model->all.row_count == POOL_ROWS_MAX)
            return FAIL(build->arena, FAILED_PRECONDITION,
                        "the rule set asks for more than the composer can weigh");
        build->bars[rule] = model->all.row_count++;
        while (at < model->rule_count && model->rule_ids[at] != rule_id)
            at++;
        if (at == model->rule_count)
            TRY(add_rule(build, rule_id, NULL, (struct conflict_rule){0}));
        model->rules[at].rows |= UINT64_C(1) << build->bars[rule];
    }
    *ret = build->bars[rule];
    return OK;
}

/* The rows of the rules that keep the party out; 0: it is let in. */
static struct status
bars_of(struct build *build, const Matching__V1__CompositionFacts__Party *party, uint64_t *ret)
{
    uint64_t rows = 0;
    size_t row;

    for (size_t i = 0; i < build->facts->n_rules; i++)
        if (bars(build, build->facts->rules[i], party)) {
            TRY(bar_of(build, i, &row));
            rows |= UINT64_C(1) << row;
        }
    *ret = rows;
    return OK;
}

static uint16_t
group_of(const struct build *build, const Matching__V1__CompositionFacts__Party *party)
{
    const Matching__V1__CompositionFacts *facts = build->facts;

    for (size_t i = 0; party->owner && i < facts->n_rules; i++)
        if (facts->rules[i]->kind == KIND(INDEPENDENT) &&
            selects(build, facts->rules[i], party))
            return (uint16_t)party->owner;
    return 0;
}

static uint16_t
class_of(struct build *build, const Matching__V1__CompositionFacts__Party *party)
{
    if (on_board(build, party->country) ||
        (build->countries && !selects(build, build->countries, party)))
        return 0;
    for (size_t c = 0; c < build->class_count; c++)
        if (!strcmp(build->classes[c], party->country))
            return (uint16_t)(c + 1);
    if (build->class_count == POOL_CLASSES_MAX)
        return 0;
    build->classes[build->class_count++] = party->country;
    return (uint16_t)build->class_count;
}

static uint32_t
cost_of(const struct build *build, const Matching__V1__CompositionFacts__Party *party)
{
    const bool cheapest =
        build->facts->question->goal == MATCHING__V1__COMPOSITION_GOAL__CHEAPEST;

    return MODEL_MEMBER * (cheapest ? party->cost : 1) + MODEL_FIT * (1000 - party->fit) +
           MODEL_RELIABILITY * (1000 - party->reliability) +
           MODEL_NOVELTY * (1000 - party->novelty);
}

/* What the rules that count members, the wishes and the kinds ask for. */
struct rows {
    const Matching__V1__CompositionFacts__Rule *rules[POOL_ROWS_MAX];
    size_t concepts[32], kinds[KINDS];
};

static struct pool_candidate
candidate_of(struct build *build, const struct rows *rows,
             const Matching__V1__CompositionFacts__Party *party)
{
    const size_t kind_row = rows->kinds[model_kind(party->type)];
    struct pool_candidate candidate = {.cost = cost_of(build, party),
                                       .class = class_of(build, party),
                                       .group = group_of(build, party)};

    for (size_t r = 0; r < build->model.pool.row_count; r++)
        if (rows->rules[r] && selects(build, rows->rules[r], party))
            candidate.rows |= UINT64_C(1) << r;
    for (size_t c = 0; c < build->facts->question->n_required && c < 32; c++)
        if (rows->concepts[c] != SIZE_MAX && party->required >> c & 1)
            candidate.rows |= UINT64_C(1) << rows->concepts[c];
    if (kind_row != SIZE_MAX)
        candidate.rows |= UINT64_C(1) << kind_row;
    return candidate;
}

/* Those let in first, then the others. */
static struct status
add_candidates(struct build *build, const struct rows *rows)
{
    const Matching__V1__CompositionFacts *facts = build->facts;
    struct pool *pool = &build->model.pool, *all = &build->model.all;
    struct pool_candidate *candidates =
        ARENA_ARRAY(build->arena, struct pool_candidate, facts->n_candidates);
    uint32_t *parties = ARENA_ARRAY(build->arena, uint32_t, facts->n_candidates);
    uint64_t *barred = ARENA_ARRAY(build->arena, uint64_t, facts->n_candidates);

    TRY(need(candidates));
    TRY(need(parties));
    TRY(need(barred));
    *all = *pool;
    for (uint32_t i = 0; i < facts->n_candidates; i++)
        TRY(bars_of(build, facts->candidates[i], &barred[i]));
    for (int out = 0; out < 2; out++)
        for (uint32_t i = 0; i < facts->n_candidates; i++) {
            if ((barred[i] != 0) != (out != 0))
                continue;
            candidates[all->count] = candidate_of(build, rows, facts->candidates[i]);
            candidates[all->count].rows |= barred[i];
            pool->count += !out;
            parties[all->count++] = i;
        }
    pool->candidates = all->candidates = candidates;
    build->model.parties = parties;
    return OK;
}

struct status
model_make(struct arena *arena, const Matching__V1__CompositionFacts *facts, struct model *ret)
{
    struct build build = {.arena = arena, .facts = facts};
    struct rows rows = {0};

    TRY(need(build.bars = ARENA_ARRAY(arena, size_t, facts->n_rules + 1)));
    for (size_t i = 0; i < facts->n_rules; i++)
        build.bars[i] = NO_BAR;
    build.model.pool.class_bonus = MODEL_COUNTRY;
    TRY(add_rules(&build, rows.rules));
    TRY(add_wishes(&build, rows.concepts, rows.kinds));
    TRY(add_candidates(&build, &rows));
    *ret = build.model;
    return OK;
}
