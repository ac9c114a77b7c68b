#include "tests/bench/matching/oracle.h"

#include <string.h>

static bool
covers(const uint16_t *terms, uint64_t count, const uint16_t *required)
{
    for (uint32_t i = 0; i < QUERY_REQUIRED; i++) {
        bool has = false;

        for (uint64_t j = 0; j < count && !has; j++)
            has = terms[j] == required[i];
        if (!has)
            return false;
    }
    return true;
}

static bool
better(const struct oracle_hit *a, const struct oracle_hit *b)
{
    return a->points != b->points ? a->points > b->points : a->id < b->id;
}

/* By insertion: few of a million come this far. */
static void
keep(struct oracle_hit hit, struct oracle_hit *best, size_t room, size_t *count)
{
    size_t at;

    if (*count == room && !better(&hit, &best[room - 1]))
        return;
    if (*count < room)
        ++*count;
    for (at = *count - 1; at > 0 && better(&hit, &best[at - 1]); at--)
        best[at] = best[at - 1];
    best[at] = hit;
}

size_t
oracle_best(const struct population *population, const struct sought *sought, bool strict,
            struct oracle_hit *into, size_t room)
{
    uint32_t points[TERMS] = {0};
    size_t count = 0;

    for (uint32_t i = 0; i < sought->term_count; i++)
        points[sought->terms[i]] += sought->points[i];
    for (uint64_t person = 0; person < population->count; person++) {
        const uint16_t *terms = &population->terms[population->first[person]];
        const uint64_t having = population->first[person + 1] - population->first[person];
        struct oracle_hit hit = {person, 0};

        if (!(sought->regions >> population->region[person] & 1) ||
            !(sought->languages & population->languages[person]) ||
            population->day[person] > sought->latest)
            continue;
        if (strict && !covers(terms, having, sought->required))
            continue;
        for (uint64_t i = 0; i < having; i++)
            hit.points += points[terms[i]];
        hit.points += sought->region_points[population->region[person]] +
                      sought->year_points[population->year[person]];
        keep(hit, into, room, &count);
    }
    return count;
}
