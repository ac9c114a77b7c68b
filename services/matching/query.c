#include "services/matching/score.h"

/* Of the points of a concept, in thousandths, what a cousin has and what a sibling adds. */
#define COUSIN_SHARE 150u
#define SIBLING_SHARE 250u

/* Added to a concept's rarity, so that a common one is worth something too. */
#define RARITY_FLOOR 128u

#define STEMS_SHARE (SCORE_TEXT_MAX / 2)

uint32_t
score_log2(uint64_t value)
{
    const unsigned whole = 63u - (unsigned)__builtin_clzll(value);
    const uint64_t fraction = value - (UINT64_C(1) << whole);

    return whole * 256u + (uint32_t)(fraction * 256u >> whole);
}

uint32_t
score_rarity(uint32_t live, uint32_t with)
{
    const uint32_t all = score_log2((uint64_t)live + 1);
    const uint32_t some = score_log2((uint64_t)with + 1);

    return all > some ? all - some : 0;
}

static uint32_t
rarity_of(const struct score_statistics *statistics, uint32_t term)
{
    const uint32_t with = term < statistics->term_count ? statistics->profiles_with[term] : 0;

    return score_rarity(statistics->live, with);
}

/* Hands out `points` in the proportions of the values asked for one after another, exactly: the
 * shares of all add up to `points`. */
struct share {
    uint64_t points, total, seen, given;
};

static uint32_t
next_share(struct share *share, uint64_t value)
{
    uint64_t until;

    if (share->total == 0)
        return 0;
    share->seen += value;
    until = share->points * share->seen / share->total;
    value = until - share->given;
    share->given = until;
    return (uint32_t)value;
}

static uint32_t
tens(uint64_t points)
{
    return (uint32_t)(points / 10 * 10);
}

/* Splits a concept's points over the levels.  A level above it is worth less the more common it
 * is: to share a group that everybody is in says little. */
void
query_levels(const struct score_statistics *statistics, struct query_concept *concept,
             uint32_t points)
{
    static const uint32_t share[NEAR_COUNT] = {
        [NEAR_SIBLING] = SIBLING_SHARE, [NEAR_COUSIN] = COUSIN_SHARE};
    const uint64_t own = RARITY_FLOOR + rarity_of(statistics, concept->sought->concept);
    uint32_t node = concept->sought->concept;
    uint32_t left = points;

    concept->node[NEAR_SAME] = node;
    for (int near = NEAR_SIBLING; near < NEAR_COUNT; near++) {
        if (node != VOCABULARY_NONE)
            node = vocabulary_broader(statistics->vocabulary, node);
        concept->node[near] = node;
        if (node != VOCABULARY_NONE) {
            const uint64_t rarity = RARITY_FLOOR + rarity_of(statistics, node);

            concept->points[near] = tens((uint64_t)points * share[near] / 1000 *
                                         (rarity < own ? rarity : own) / own);
            left -= concept->points[near];
        }
    }
    concept->points[NEAR_SAME] = left;
}

static int
by_term(const void *a, const void *b)
{
    const uint32_t left = ((const struct query_term *)a)->term;
    const uint32_t right = ((const struct query_term *)b)->term;

    return (left > right) - (left < right);
}

/* Sorts, and makes one of those with the same term; how many are left. */
static size_t
merge_terms(struct query_term *terms, size_t count)
{
    size_t kept = 0;

    if (count > 0)
        qsort(terms, count, sizeof *terms, by_term);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && terms[kept - 1].term == terms[i].term)
            terms[kept - 1].points += terms[i].points;
        else
            terms[kept++] = terms[i];
    }
    return kept;
}

static struct status
make_concepts(const struct score_statistics *statistics, struct arena *arena,
              struct query *query)
{
    const struct profile *seeker = query->seeker;
    struct share share = {.points = SCORE_CONCEPTS_MAX / 10};
    struct query_term *terms;
    size_t count = 0;

    query->concepts = ARENA_ARRAY(arena, struct query_concept, seeker->concept_count + 1u);
    terms = ARENA_ARRAY(arena, struct query_term, (seeker->concept_count + 1u) * NEAR_COUNT);
    TRY(need(query->concepts));
    TRY(need(terms));
    for (size_t i = 0; i < seeker->concept_count; i++)
        share.total += (uint64_t)seeker->concepts[i].weight *
                       (RARITY_FLOOR + rarity_of(statistics, seeker->concepts[i].concept));
    for (size_t i = 0; i < seeker->concept_count; i++) {
        struct query_concept *concept = &query->concepts[i];
        const uint64_t value =
            (uint64_t)seeker->concepts[i].weight *
            (RARITY_FLOOR + rarity_of(statistics, seeker->concepts[i].concept));

        concept->sought = &seeker->concepts[i];
        query_levels(statistics, concept, next_share(&share, value) * 10);
        for (int near = NEAR_SAME; near < NEAR_COUNT; near++)
            if (concept->points[near] > 0)
                terms[count++] =
                    (struct query_term){concept->node[near], concept->points[near]};
    }
    query->concept_count = seeker->concept_count;
    query->terms[LANE_CONCEPTS] = terms;
    query->term_count[LANE_CONCEPTS] = merge_terms(terms, count);
    return OK;
}

/* What a word says of a sought concept: rare words say much more than common ones, so that
 * "manage" in two names is next to nothing. */
static uint64_t
name_value(const struct score_statistics *statistics, const struct profile_concept *sought,
           uint32_t number)
{
    const uint64_t concept = RARITY_FLOOR + rarity_of(statistics, sought->concept);
    const uint64_t word =
        rarity_of(statistics, vocabulary_word_term(statistics->vocabulary, number));

    return sought->weight * concept * (word * word / 256);
}

/* The words of all names share the points of the lane. */
static struct status
make_names(const struct score_statistics *statistics, struct arena *arena, struct query *query)
{
    const struct profile *seeker = query->seeker;
    struct share share = {.points = SCORE_NAMES_MAX / 10};
    struct query_term *terms = ARENA_ARRAY(arena, struct query_term,
                                           (size_t)seeker->concept_count * LABEL_WORDS_MAX + 1);
    size_t count = 0;

    TRY(need(terms));
    for (size_t i = 0; i < seeker->concept_count; i++) {
        struct query_concept *concept = &query->concepts[i];
        const struct label_word_list *words =
            vocabulary_words(statistics->vocabulary, concept->sought->concept);

        concept->name_count = words->count;
        for (uint32_t j = 0; j < words->count; j++) {
            concept->names[j].number = words->numbers[j];
            share.total += name_value(statistics, concept->sought, words->numbers[j]);
        }
    }
    for (size_t i = 0; i < seeker->concept_count; i++) {
        struct query_concept *concept = &query->concepts[i];

        for (uint32_t j = 0; j < concept->name_count; j++) {
            struct query_name *name = &concept->names[j];

            name->points =
                10 * next_share(&share, name_value(statistics, concept->sought, name->number));
            if (name->points > 0)
                terms[count++] = (struct query_term){
                    vocabulary_word_term(statistics->vocabulary, name->number), name->points};
        }
    }
    query->terms[LANE_NAMES] = terms;
    query->term_count[LANE_NAMES] = merge_terms(terms, count);
    return OK;
}

static uint64_t
rarity_of_stems(const struct score_statistics *statistics, const struct profile_text *text)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < text->stem_count; i++)
        sum += rarity_of(statistics, text->stems[i].term);
    return sum;
}

static uint64_t
rarity_of_grams(const struct score_statistics *statistics, const struct profile_text *text)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < text->gram_count; i++)
        sum += rarity_of(statistics, text->grams[i]);
    return sum;
}

/* Rounded down one by one, because the order of terms is the dictionary's and differs between
 * replicas: what the whole lacks at the end is less than a point. */
static void
add_text_term(const struct score_statistics *statistics, uint32_t term, uint64_t points,
              uint64_t total, struct query_term *terms, size_t *count)
{
    const uint64_t share = total ? points * rarity_of(statistics, term) / total : 0;

    if (share > 0)
        terms[(*count)++] = (struct query_term){term, (uint32_t)share};
}

static struct status
make_text(const struct score_statistics *statistics, const struct profile_text *text,
          struct arena *arena, struct query_term **ret, size_t *ret_count)
{
    const uint64_t stems = rarity_of_stems(statistics, text);
    const uint64_t grams = rarity_of_grams(statistics, text);
    struct query_term *terms =
        ARENA_ARRAY(arena, struct query_term, (size_t)text->stem_count + text->gram_count + 1);
    size_t count = 0;

    TRY(need(terms));
    for (size_t i = 0; i < text->stem_count; i++)
        add_text_term(statistics, text->stems[i].term, grams ? STEMS_SHARE : SCORE_TEXT_MAX,
                      stems, terms, &count);
    for (size_t i = 0; i < text->gram_count; i++)
        add_text_term(statistics, text->grams[i],
                      stems ? SCORE_TEXT_MAX - STEMS_SHARE : SCORE_TEXT_MAX, grams, terms,
                      &count);
    if (count > 0)
        qsort(terms, count, sizeof *terms, by_term);
    *ret = terms;
    *ret_count = count;
    return OK;
}

struct status
query_make(const struct profile *seeker, const struct score_statistics *statistics,
           struct arena *arena, struct query *ret)
{
    struct query query = {.seeker = seeker, .statistics = *statistics};

    TRY(make_concepts(statistics, arena, &query));
    TRY(make_names(statistics, arena, &query));
    for (size_t lang = 0; lang < LANG_COUNT; lang++)
        TRY(make_text(statistics, &seeker->text[lang], arena, &query.terms[LANE_TEXT + lang],
                      &query.term_count[LANE_TEXT + lang]));
    *ret = query;
    return OK;
}

/* One search in the sorted terms of the offer for each term sought. */
void
query_lanes(const struct query *query, const struct profile *offer, uint32_t ret[LANE_COUNT])
{
    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        uint32_t sum = 0;

        for (size_t i = 0; i < query->term_count[lane]; i++) {
            const struct query_term *term = &query->terms[lane][i];

            sum += query_points(term->points, profile_find_term(offer, term->term));
        }
        ret[lane] = sum;
    }
}
