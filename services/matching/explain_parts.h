#pragma once

/* What the files of an explanation share. */

#include "services/matching/explain.h"
#include "services/matching/wishes.h"

#define REASONS_MAX                                                                            \
    (PROFILE_CONCEPTS_MAX + PROFILE_TAGS_MAX + SCORE_BOOSTS_MAX + WISHES_CONCEPTS_MAX +        \
     PROFILE_TAGS_MAX + 10)

/* What the reasons of one pair are made from. */
struct explaining {
    const struct score_context *context;
    const struct query *query;
    const struct vocabulary *vocabulary;
    const struct profile *offer;
    struct arena *arena;
    Matching__V1__Reason **items;
    size_t count;
    uint32_t concepts; /* points of concepts so far, before breadth takes from them */
    bool by_name;      /* concepts earn by the words of their names */
};

/* A word that both texts, or two names, have. */
struct shared_word {
    uint32_t points;
    const char *word;
};

/* A reason of `points`; none when there are no points, unless it is of wishes. */
must_use struct status explaining_add(struct explaining *explaining, enum part part,
                                      Matching__V1__ReasonSource source, uint32_t points,
                                      Matching__V1__Reason **ret);
must_use struct status explaining_set_text(struct arena *arena, const char **field,
                                           const char *text);
/* Those that earned most; sorts them. */
must_use struct status explaining_set_words(struct explaining *explaining,
                                            struct shared_word *shared, size_t count,
                                            Matching__V1__Reason *reason);

must_use struct status explaining_set_concept_id(struct explaining *explaining,
                                                 const char **field, uint32_t concept);
/* Which words named the concepts (each may be NULL), where its side did not name it itself. */
must_use struct status explaining_set_linked(struct explaining *explaining,
                                             const struct profile_concept *sought,
                                             const struct profile_concept *found,
                                             Matching__V1__Reason *reason);
/* The weightiest concept of a side at or beneath a node; NULL: none. */
const struct profile_concept *explaining_find(const struct explaining *explaining,
                                              const struct profile *side, uint32_t node);

/* A sought concept: in what way it is met, by which offered one, and what that earns. */
must_use struct status explain_concept(struct explaining *explaining,
                                       const struct query_concept *concept);

/* What the wishes of the person take off, and those that are met. */
must_use struct status explain_wishes(struct explaining *explaining, uint32_t deduction);
