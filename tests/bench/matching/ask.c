#include "tests/bench/matching/ask.h"

void
ask_make(const struct sought *sought, bool strict, struct ask *ret)
{
    for (uint32_t i = 0; i < sought->term_count; i++)
        ret->terms[i] = (struct scan_term){sought->terms[i], sought->points[i], 0};
    for (uint32_t i = 0; i < QUERY_REQUIRED; i++)
        ret->required[i] = sought->required[i];
    for (uint32_t i = 0; i < REGIONS; i++)
        ret->regions[i] = sought->regions >> i & 1 ? sought->region_points[i] : SCAN_CLOSED;
    ret->languages = sought->languages;
    ret->query = (struct scan_query){.terms = ret->terms,
                                     .term_count = sought->term_count,
                                     .required = ret->required,
                                     .required_count = strict ? QUERY_REQUIRED : 0,
                                     .any_of = &ret->languages,
                                     .any_count = 1,
                                     .region_points = ret->regions,
                                     .region_count = REGIONS,
                                     .latest_from = sought->latest};
    memcpy(ret->query.grade_points, sought->year_points, sizeof sought->year_points);
}

void
ask_person(const struct population *population, uint64_t number, uint64_t id, uint32_t *terms,
           struct document *ret)
{
    const uint64_t first = population->first[number];
    const uint32_t count = (uint32_t)(population->first[number + 1] - first);

    for (uint32_t i = 0; i < count; i++)
        terms[i] = population->terms[first + i];
    *ret = (struct document){.id = id,
                             .terms = terms,
                             .term_count = count,
                             .classes = population->languages[number],
                             .region = population->region[number],
                             .order = population->cluster[number],
                             .from = population->day[number],
                             .until = UINT16_MAX,
                             .grade = population->year[number]};
}

static uint32_t
key_of(void *context, uint32_t number)
{
    const struct population *population = context;

    return (uint32_t)population->region[number] << 16 | population->cluster[number];
}

static void
read_one(void *context, uint32_t number, uint32_t *terms, struct document *ret)
{
    ask_person(context, number, number, terms, ret);
}

struct base_source
ask_source(struct population *population)
{
    return (struct base_source){(uint32_t)population->count, population, key_of, read_one};
}
