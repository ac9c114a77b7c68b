#include "services/matching/composition/test_pool.h"

#include <math.h>
#include <string.h>

#define COUNTRIES 30
#define ROW_MEMBERS 12
#define ROW_FIRST_KIND 13
#define ROW_SECOND_KIND 14

/* Steele, Lea and Flood 2014, SplitMix64. */
static uint64_t
next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double
uniform(uint64_t *state)
{
    return (double)(next(state) >> 11) / 9007199254740992.0;
}

static uint64_t
competences(uint64_t *state, int wanted)
{
    double cumulated[TEST_POOL_COMPETENCES], sum = 0;
    uint64_t rows = 0;

    for (int k = 0; k < TEST_POOL_COMPETENCES; k++)
        cumulated[k] = sum += 1 / pow(k + 1, 0.8);
    while (__builtin_popcountll(rows) < wanted) {
        const double at = uniform(state) * sum;
        int k = 0;
        while (cumulated[k] < at)
            k++;
        rows |= UINT64_C(1) << k;
    }
    return rows;
}

static struct pool_candidate
organisation(uint64_t *state, bool hard)
{
    const double kind = uniform(state);
    struct pool_candidate made = {0};
    int country, wanted;
    double base, factor;

    if (hard)
        country = uniform(state) < 0.75 ? 0 : 1 + (int)(next(state) % (COUNTRIES - 1));
    else
        country = (int)(COUNTRIES * pow(uniform(state), 2));
    wanted = hard ? 1 + (uniform(state) < 0.4) : 1 + (int)(4 * pow(uniform(state), 1.5));
    made.rows = competences(state, wanted) | UINT64_C(1) << ROW_MEMBERS;
    if (kind < 0.75)
        made.rows |= UINT64_C(1) << (kind < 0.25 ? ROW_FIRST_KIND : ROW_SECOND_KIND);
    base = 40 + 60 * pow(wanted, hard ? 1.0 : 0.8) * (0.7 + 0.6 * uniform(state));
    factor = country == 0 ? (hard ? 0.6 : 0.9) : 0.85 + 0.4 * (country * 7919 % 97) / 97.0;
    made.cost = (uint32_t)(10 * base * factor);
    made.class = (uint16_t)(country + 1);
    return made;
}

void
test_pool_fill(struct pool *pool, struct pool_candidate *candidates, size_t count, bool hard,
               uint64_t seed)
{
    uint64_t state = seed * 1000003 + count;

    *pool = (struct pool){
        .candidates = candidates, .count = count, .row_count = 15, .distinct_need = 3};
    for (size_t r = 0; r < TEST_POOL_COMPETENCES; r++)
        pool->rows[r] = (struct pool_row){.need = 1, .limit = POOL_NO_LIMIT};
    pool->rows[ROW_MEMBERS] = (struct pool_row){.need = 6, .limit = POOL_NO_LIMIT};
    pool->rows[ROW_FIRST_KIND] = (struct pool_row){.need = 2, .limit = POOL_NO_LIMIT};
    pool->rows[ROW_SECOND_KIND] = (struct pool_row){.need = 2, .limit = POOL_NO_LIMIT};
    for (size_t i = 0; i < count; i++)
        candidates[i] = organisation(&state, hard);
}

void
test_pool_mixed(struct pool *pool, struct pool_candidate *candidates, size_t count,
                uint64_t seed)
{
    uint64_t state = seed;

    *pool = (struct pool){.candidates = candidates,
                          .count = count,
                          .row_count = 5,
                          .distinct_need = (unsigned)(next(&state) % 3),
                          .class_bonus = (uint32_t)(next(&state) % 2 * 7)};
    pool->rows[0] = (struct pool_row){.need = 1, .limit = POOL_NO_LIMIT};
    pool->rows[1] = (struct pool_row){.need = (uint8_t)(next(&state) % 4),
                                      .limit = (uint8_t)(3 + next(&state) % 2)};
    pool->rows[2] =
        (struct pool_row){.need = (uint8_t)(next(&state) % 3), .limit = POOL_NO_LIMIT};
    pool->rows[3] = (struct pool_row){.need = 1, .limit = POOL_NO_LIMIT, .forfeit = 15};
    pool->rows[4] = (struct pool_row){.limit = (uint8_t)(1 + next(&state) % 2)};
    for (size_t i = 0; i < count; i++)
        candidates[i] = (struct pool_candidate){.rows = next(&state) % 32,
                                                .cost = 5 + (uint32_t)(next(&state) % 20),
                                                .class = (uint16_t)(next(&state) % 4),
                                                .group = (uint16_t)(next(&state) % 6)};
}
