#include "services/matching/wishes.h"

#include "services/matching/hash.h"

static void
read_concepts(const struct vocabulary *vocabulary, const struct profile_row *row,
              struct wishes *wishes)
{
    for (size_t i = 0; i < row->wished_count && wishes->concept_count < WISHES_CONCEPTS_MAX;
         i++) {
        const int64_t weight = i < row->wished_weight_count ? row->wished_weights[i] : 1000;
        struct uid id;
        uint32_t concept;

        if (!uid_parse(row->wished_ids[i], &id))
            continue;
        concept = vocabulary_find(vocabulary, &id);
        if (concept != VOCABULARY_NONE)
            wishes->concepts[wishes->concept_count++] =
                TERM_PACK(concept, profile_tenths(weight));
    }
}

struct status
wishes_read(const struct vocabulary *vocabulary, const struct profile_row *row,
            struct arena *arena, struct wishes **ret)
{
    struct wishes *wishes;

    *ret = NULL;
    if (row->wished_count + row->wished_nuts_count + row->wished_tag_count == 0)
        return OK;
    TRY(need(wishes = ARENA_NEW(arena, struct wishes)));
    read_concepts(vocabulary, row, wishes);
    for (size_t i = 0; i < row->wished_nuts_count && i < WISHES_REGIONS_MAX; i++)
        (void)snprintf(wishes->regions[wishes->region_count++], sizeof wishes->regions[0], "%s",
                       row->wished_nuts[i]);
    for (size_t i = 0; i < row->wished_tag_count && i < WISHES_TAGS_MAX; i++)
        wishes->tags[wishes->tag_count++] = hash_text(row->wished_tags[i]);
    if (wishes->concept_count + wishes->region_count + wishes->tag_count > 0)
        *ret = wishes;
    return OK;
}

uint32_t
wishes_concept(const struct score_statistics *statistics, uint32_t wished,
               const struct profile *seeker, enum nearness *ret_near, uint32_t *ret_node)
{
    const struct profile_concept sought = {.concept = TERM_OF(wished)};
    struct query_concept levels = {.sought = &sought};
    uint32_t met = 0;

    *ret_near = NEAR_NONE;
    *ret_node = VOCABULARY_NONE;
    query_levels(statistics, &levels, WISHES_MET);
    for (int near = NEAR_COUSIN; near > NEAR_NONE; near--) {
        uint32_t packed;

        if (levels.node[near] == VOCABULARY_NONE)
            continue;
        packed = profile_find_term(seeker, levels.node[near]);
        if (!packed)
            continue;
        met += query_points(levels.points[near], packed);
        *ret_near = (enum nearness)near;
        *ret_node = levels.node[near];
    }
    return query_points(met, wished);
}

bool
wishes_has_tag(const struct wishes *wishes, uint64_t key)
{
    for (size_t i = 0; i < wishes->tag_count; i++)
        if (wishes->tags[i] == key)
            return true;
    return false;
}

const char *
wishes_region(const struct wishes *wishes, const struct profile *seeker)
{
    for (size_t i = 0; i < wishes->region_count; i++)
        if (strncmp(seeker->nuts, wishes->regions[i], strlen(wishes->regions[i])) == 0)
            return wishes->regions[i];
    return NULL;
}

static uint32_t
best_concept(const struct score_statistics *statistics, const struct wishes *wishes,
             const struct profile *seeker)
{
    uint32_t best = 0;

    for (size_t i = 0; i < wishes->concept_count; i++) {
        enum nearness near;
        uint32_t node;
        const uint32_t met =
            wishes_concept(statistics, wishes->concepts[i], seeker, &near, &node);

        if (met > best)
            best = met;
    }
    return best;
}

static bool
any_tag(const struct wishes *wishes, const struct profile *seeker)
{
    for (size_t i = 0; i < seeker->tag_count; i++)
        if (wishes_has_tag(wishes, seeker->tags[i].key))
            return true;
    return false;
}

uint32_t
wishes_fit(const struct score_statistics *statistics, const struct wishes *wishes,
           const struct profile *seeker)
{
    uint32_t weights = 0;
    uint32_t sum = 0;

    if (wishes->concept_count > 0) {
        weights += WISHES_CONCEPTS_WEIGHT;
        sum += WISHES_CONCEPTS_WEIGHT * best_concept(statistics, wishes, seeker);
    }
    if (wishes->tag_count > 0) {
        weights += WISHES_TAGS_WEIGHT;
        sum += any_tag(wishes, seeker) ? WISHES_TAGS_WEIGHT * WISHES_MET : 0;
    }
    if (wishes->region_count > 0) {
        weights += WISHES_REGIONS_WEIGHT;
        sum += wishes_region(wishes, seeker) ? WISHES_REGIONS_WEIGHT * WISHES_MET : 0;
    }
    return weights ? sum / weights : WISHES_MET;
}

uint32_t
wishes_deduction(uint32_t fit, uint32_t wish)
{
    if (wish < WISHES_LEAST)
        wish = WISHES_LEAST;
    if (wish >= fit)
        return 0;
    return fit - (uint32_t)(UINT64_C(2) * fit * wish / ((uint64_t)fit + wish));
}
