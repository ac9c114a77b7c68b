/* Reasons of concepts: see explain_parts.h. */

#include "services/matching/explain_parts.h"

static bool
is_beneath(const struct vocabulary *vocabulary, uint32_t concept, uint32_t node)
{
    for (int depth = 0; depth <= VOCABULARY_DEPTH_MAX && concept != VOCABULARY_NONE; depth++) {
        if (concept == node)
            return true;
        concept = vocabulary_broader(vocabulary, concept);
    }
    return false;
}

/* What breadth leaves of the points: shares of the running sum, so that they add up. */
static uint32_t
leave(struct explaining *explaining, uint32_t points)
{
    const uint32_t breadth = score_breadth(explaining->offer);
    const uint32_t before = explaining->concepts * breadth / 1000;

    explaining->concepts += points;
    return explaining->concepts * breadth / 1000 - before;
}

const struct profile_concept *
explaining_find(const struct explaining *explaining, const struct profile *side, uint32_t node)
{
    const struct profile_concept *best = NULL;

    for (size_t i = 0; i < side->concept_count; i++) {
        const struct profile_concept *concept = &side->concepts[i];

        if ((!best || concept->weight > best->weight) &&
            is_beneath(explaining->vocabulary, concept->concept, node))
        best = concept;
    }
    return best;
}

struct status
explaining_set_concept_id(struct explaining *explaining, const char **field, uint32_t concept)
{
    char id[UUID_SIZE];

    uid_format(vocabulary_id(explaining->vocabulary, concept), id);
    return explaining_set_text(explaining->arena, field, id);
}

struct status
explaining_set_linked(struct explaining *explaining, const struct profile_concept *sought,
                      const struct profile_concept *found, Matching__V1__Reason *reason)
{
    const struct profile_concept *sides[] = {sought, found};

    TRY(need(reason->words = ARENA_ARRAY(explaining->arena, const char *, COUNT_OF(sides))));
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        if (!sides[i] || !sides[i]->linked)
            continue;
        TRY(explaining_set_text(explaining->arena, &reason->words[reason->n_words++],
                                sides[i]->span));
        /* With words on both sides, the seeker's language is told. */
        if (!*reason->language)
            TRY(explaining_set_text(explaining->arena, &reason->language,
                                    lang_tag((enum lang)sides[i]->lang)));
    }
    return OK;
}

/* How near the offer comes to a concept by the hierarchy, and what that earns. */
static enum nearness
find_nearness(const struct explaining *explaining, const struct query_concept *concept,
              uint32_t *ret_points)
{
    enum nearness nearest = NEAR_NONE;

    for (int near = NEAR_COUSIN; near > NEAR_NONE; near--) {
        uint32_t packed;

        if (concept->node[near] == VOCABULARY_NONE)
            continue;
        packed = profile_find_term(explaining->offer, concept->node[near]);
        *ret_points += query_points(concept->points[near], packed);
        if (packed)
            nearest = (enum nearness)near;
    }
    return nearest;
}

static bool
has_word(const struct explaining *explaining, uint32_t concept, uint32_t number)
{
    const struct label_word_list *words = vocabulary_words(explaining->vocabulary, concept);

    for (uint32_t i = 0; i < words->count; i++)
        if (words->numbers[i] == number)
            return true;
    return false;
}

/* The points of a sought concept's words that the offered one's name has. */
static uint32_t
shared_name(const struct explaining *explaining, const struct query_concept *concept,
            uint32_t offered)
{
    uint32_t points = 0;

    for (uint32_t i = 0; i < concept->name_count; i++)
        if (has_word(explaining, offered, concept->names[i].number))
    points += concept->names[i].points;
    return points;
}

/* The offered concept whose name has most of a sought one's. */
static const struct profile_concept *
find_named_alike(const struct explaining *explaining, const struct query_concept *concept)
{
    const struct profile_concept *best = NULL;
    uint32_t most = 0;

    for (size_t i = 0; i < explaining->offer->concept_count; i++) {
        const struct profile_concept *offered = &explaining->offer->concepts[i];
        const uint32_t points = shared_name(explaining, concept, offered->concept);

        if (points > most) {
            most = points;
            best = offered;
        }
    }
    return best;
}

/* What the words of a concept's name earn. */
static uint32_t
name_points(const struct explaining *explaining, const struct query_concept *concept)
{
    uint32_t points = 0;

    for (uint32_t i = 0; i < concept->name_count; i++) {
        const uint32_t term =
            vocabulary_word_term(explaining->vocabulary, concept->names[i].number);

        points +=
            query_points(concept->names[i].points, profile_find_term(explaining->offer, term));
    }
    return points;
}

/* The words that two names have in common, those that earned most first. */
static struct status
set_common_words(struct explaining *explaining, const struct query_concept *concept,
                 uint32_t offered, Matching__V1__Reason *reason)
{
    struct shared_word shared[LABEL_WORDS_MAX];
    size_t count = 0;

    for (uint32_t i = 0; i < concept->name_count; i++) {
        const struct query_name *name = &concept->names[i];

        if (name->points > 0 && has_word(explaining, offered, name->number))
            shared[count++] = (struct shared_word){
                name->points, vocabulary_word(explaining->vocabulary, name->number)};
    }
    return explaining_set_words(explaining, shared, count, reason);
}

struct status
explain_concept(struct explaining *explaining, const struct query_concept *concept)
{
    const struct profile_concept *found;
    Matching__V1__Reason *reason;
    enum nearness nearest;
    uint32_t points = 0;
    bool linked;

    nearest = find_nearness(explaining, concept, &points);
    if (explaining->by_name)
        points = name_points(explaining, concept);
    points = leave(explaining, points);
    if (points == 0)
        return OK;
    if (explaining->by_name && nearest != NEAR_SAME) {
        nearest = NEAR_NAME;
        found = find_named_alike(explaining, concept);
    } else {
        found = explaining_find(explaining, explaining->offer, concept->node[nearest]);
    }
    linked = concept->sought->linked || (found && found->linked);
    TRY(explaining_add(explaining, PART_CONCEPTS,
                       linked ? MATCHING__V1__REASON_SOURCE__FROM_LINKED_WORDS
                              : MATCHING__V1__REASON_SOURCE__FROM_CONCEPTS,
                       points, &reason));
    reason->nearness = (Matching__V1__Nearness)nearest;
    TRY(explaining_set_concept_id(explaining, &reason->concept_id, concept->sought->concept));
    if (found)
        TRY(explaining_set_concept_id(explaining, &reason->found_concept_id, found->concept));
    if (nearest == NEAR_NAME && found)
        return set_common_words(explaining, concept, found->concept, reason);
    return linked ? explaining_set_linked(explaining, concept->sought, found, reason) : OK;
}
