#include "services/matching/composition/conflict.h"

enum feasible { FEASIBLE, INFEASIBLE, NOT_KNOWN };

struct relaxed {
    struct pool pool;
    struct pool_candidate *candidates;
    size_t count;
};

/* The pool under the rules that are in; every candidate costs the same. */
static void
rebuild(const struct pool *pool, const struct conflict_rule *rules, size_t rule_count,
        const bool *in, struct relaxed *relaxed)
{
    bool classes = false, groups = false;
    uint64_t rows = 0;

    for (size_t i = 0; i < rule_count; i++) {
        rows |= in[i] ? rules[i].rows : 0;
        classes |= in[i] && rules[i].classes;
        groups |= in[i] && rules[i].groups;
    }
    relaxed->pool = *pool;
    relaxed->pool.candidates = relaxed->candidates;
    relaxed->pool.class_bonus = 0;
    relaxed->pool.distinct_need = classes ? pool->distinct_need : 0;
    for (size_t r = 0; r < pool->row_count; r++)
        if (!(rows >> r & 1) || pool->rows[r].forfeit)
            relaxed->pool.rows[r] = (struct pool_row){.limit = POOL_NO_LIMIT};
    for (size_t i = 0; i < pool->count; i++) {
        struct pool_candidate candidate = pool->candidates[i];

        candidate.cost = 1;
        candidate.group = groups ? candidate.group : 0;
        relaxed->candidates[i] = candidate;
    }
}

static struct status
try(struct arena *arena, const struct composer_ask *ask, const struct relaxed *relaxed,
    enum feasible *ret)
{
    struct composer_ask question = *ask;
    struct composer_answer answer;

    /* What cannot be tried in time is not known; not even the preparing is begun. */
    if (mono_left_ms(ask->deadline, clock_mono(ask->clock)) == 0) {
        *ret = NOT_KNOWN;
        return OK;
    }
    question.pool = &relaxed->pool;
    question.sets_wanted = 1;
    TRY(composer_run(arena, &question, &answer));
    if (answer.shelf.count)
        *ret = FEASIBLE;
    else
        *ret = answer.end == COMPOSER_PROVEN ? INFEASIBLE : NOT_KNOWN;
    return OK;
}

struct status
conflict_find(struct arena *arena, const struct composer_ask *ask,
              const struct conflict_rule *rules, size_t rule_count, struct conflict *ret)
{
    struct conflict conflict = {.minimal = true};
    struct relaxed relaxed = {.count = ask->pool->count};

    if (rule_count > CONFLICT_RULES_MAX)
        return FAIL_FIELD(arena, "rules", "at most %d", CONFLICT_RULES_MAX);
    TRY(need(relaxed.candidates = ARENA_ARRAY(arena, struct pool_candidate, ask->pool->count)));
    for (size_t i = 0; i < rule_count; i++)
        conflict.in[i] = true;
    for (size_t i = 0; i < rule_count; i++) {
        enum feasible feasible;

        conflict.in[i] = false;
        rebuild(ask->pool, rules, rule_count, conflict.in, &relaxed);
        TRY(try(arena, ask, &relaxed, &feasible));
        conflict.in[i] = feasible != INFEASIBLE;
        conflict.minimal &= feasible != NOT_KNOWN;
    }
    *ret = conflict;
    return OK;
}
