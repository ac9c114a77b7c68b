#pragma once

/* The problem of composition: which candidates to add, at the least cost, so that every row is
 * met.
 *
 * A row counts the members that have something in common ("companies", "programme-country
 * organisations", "knows problem-based learning"); candidates name their rows as bits.  A hard
 * row is met or the set is no answer; a soft row that is missed costs its forfeit.  Classes
 * (countries) that are new to the partnership are counted by themselves: `distinct_need` of
 * them must appear, and each that appears earns `class_bonus`.  Of a group (organisations of
 * one owner) at most one member may stand in a set.
 *
 * What members on board contribute is taken off the needs and limits before. Costs are abstract
 * units; the caller chooses them so that a smaller sum is a better set.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define POOL_ROWS_MAX 48
#define POOL_CLASSES_MAX 255
#define POOL_CANDIDATES_MAX 100000
#define POOL_NEED_MAX 15
#define POOL_NO_LIMIT UINT8_MAX
#define POOL_COST_MAX 1000000000u
#define POOL_SET_MAX 32 /* members of a set */

struct pool_row {
    uint8_t need;     /* at least; 0..POOL_NEED_MAX */
    uint8_t limit;    /* at most; below POOL_NEED_MAX + 1 or POOL_NO_LIMIT */
    uint32_t forfeit; /* 0: hard.  Otherwise the need is 1 and missing it costs this much */
};

struct pool_candidate {
    uint64_t rows;  /* bits: rows it counts towards */
    uint32_t cost;  /* 1..POOL_COST_MAX */
    uint16_t class; /* 1..POOL_CLASSES_MAX; 0: of no class that counts */
    uint16_t group; /* 0: of none */
};

struct pool {
    const struct pool_candidate
        *candidates; /* the caller's; in an order that is always the same */
    size_t count;    /* 0..POOL_CANDIDATES_MAX */
    struct pool_row rows[POOL_ROWS_MAX];
    size_t row_count;
    unsigned distinct_need; /* classes; 0..POOL_NEED_MAX */
    uint32_t class_bonus;
};

/* A set of candidates: positions in the pool, ascending. */
struct pool_set {
    int64_t cost; /* with forfeits, less bonuses */
    size_t count;
    uint32_t members[POOL_SET_MAX];
};

/* INVALID_ARGUMENT names the field. */
must_use struct status pool_check(struct arena *arena, const struct pool *pool);

/* Whether the set meets every hard row; its cost. */
bool pool_holds(const struct pool *pool, const struct pool_set *set, int64_t *ret_cost);

/* Whether a member could be left out for nothing: the rest still holds and costs no more. */
bool pool_wastes(const struct pool *pool, const struct pool_set *set);
