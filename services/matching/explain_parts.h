#pragma once

/* What the files of an explanation share. */

#include "services/matching/explain.h"

#define REASONS_MAX (PROFILE_CONCEPTS_MAX + PROFILE_TAGS_MAX + SCORE_BOOSTS_MAX + 8)

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

/* A reason of `points`; none when there are no points. */
must_use struct status explaining_add(struct explaining *explaining, enum part part,
                                      Matching__V1__ReasonSource source, uint32_t points,
                                      Matching__V1__Reason **ret);
must_use struct status explaining_set_text(struct arena *arena, const char **field,
                                           const char *text);
/* Those that earned most; sorts them. */
must_use struct status explaining_set_words(struct explaining *explaining,
                                            struct shared_word *shared, size_t count,
                                            Matching__V1__Reason *reason);

/* A sought concept: in what way it is met, by which offered one, and what that earns. */
must_use struct status explain_concept(struct explaining *explaining,
                                       const struct query_concept *concept);
