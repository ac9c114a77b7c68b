#include "services/matching/traits.h"

#include "services/matching/hash.h"

enum trait { TRAIT_TAG, TRAIT_FIELD, TRAIT_LEVEL };

#define FIELD_DIGITS_LEAST 2
#define LEVELS 8

static uint32_t
bucket(enum trait trait, const void *bytes, size_t size)
{
    const uint8_t space = (uint8_t)trait;

    return (uint32_t)(hash_finish(hash_more(hash_more(HASH_START, &space, 1), bytes, size)) %
                      TRAIT_TERMS);
}

static uint32_t
level_bucket(unsigned level)
{
    const uint8_t number = (uint8_t)level;

    return bucket(TRAIT_LEVEL, &number, 1);
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

size_t
traits_offered(const struct profile *offer, uint32_t into[TRAITS_MAX])
{
    size_t count = 0;
    size_t kept = 0;

    for (size_t i = 0; i < offer->tag_count; i++)
        into[count++] = bucket(TRAIT_TAG, &offer->tags[i].key, sizeof offer->tags[i].key);
    for (size_t i = 0; i < offer->field_count; i++)
        for (size_t digits = FIELD_DIGITS_LEAST; digits <= strlen(offer->isced_f[i]); digits++)
            into[count++] = bucket(TRAIT_FIELD, offer->isced_f[i], digits);
    for (unsigned level = 1; level <= offer->eqf && level <= LEVELS; level++)
        into[count++] = level_bucket(level);
    qsort(into, count, sizeof *into, by_number);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || into[kept - 1] != into[i])
            into[kept++] = into[i];
    return kept;
}

static void
seek(struct query_term into[TRAITS_MAX], size_t *count, uint32_t term, uint32_t points)
{
    if (points > 0)
        into[(*count)++] = (struct query_term){term, points};
}

size_t
traits_sought(const struct profile *seeker, struct query_term into[TRAITS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < seeker->tag_count; i++)
        seek(into, &count, bucket(TRAIT_TAG, &seeker->tags[i].key, sizeof seeker->tags[i].key),
             score_tag_points(seeker));
    for (size_t i = 0; i < seeker->field_count; i++)
        for (size_t digits = FIELD_DIGITS_LEAST; digits <= strlen(seeker->isced_f[i]); digits++)
            seek(into, &count, bucket(TRAIT_FIELD, seeker->isced_f[i], digits),
                 score_field_points(digits) - score_field_points(digits - 1));
    if (seeker->eqf > 0) {
        seek(into, &count, level_bucket(seeker->eqf),
             score_level_points(0) - score_level_points(1));
        /* Whoever has a level has the first one, so a seeker of that asks for it alone. */
        seek(into, &count, level_bucket(seeker->eqf > 1 ? seeker->eqf - 1u : 1),
             score_level_points(1));
    }
    return count;
}
