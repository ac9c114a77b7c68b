#include "common/shards/merge.h"

#include <stdlib.h>
#include <string.h>

/* As hit_compare orders them in one index: the order of ids is that of their texts. */
static int
by_score(const void *a, const void *b)
{
    const Matching__V1__Candidate *left = *(Matching__V1__Candidate *const *)a;
    const Matching__V1__Candidate *right = *(Matching__V1__Candidate *const *)b;

    if (left->score_thousandths != right->score_thousandths)
        return left->score_thousandths > right->score_thousandths ? -1 : 1;
    return strcmp(left->profile->id, right->profile->id);
}

static bool
same_question(const Matching__V1__FindMatchesReply *a, const Matching__V1__FindMatchesReply *b)
{
    return strcmp(a->input_hash, b->input_hash) == 0 &&
           strcmp(a->weights_version, b->weights_version) == 0 &&
           a->as_of_unix_ms == b->as_of_unix_ms;
}

struct status
merge_answers(Matching__V1__FindMatchesReply *const *answers, size_t count, size_t limit,
              struct arena *arena, Matching__V1__FindMatchesReply *ret)
{
    Matching__V1__FindMatchesReply merged = *answers[0];
    Matching__V1__Candidate **candidates;
    size_t total = 0, kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (!same_question(&merged, answers[i]))
            return FAIL(arena, ABORTED,
                        "the profile has just changed, or the shards have different settings");
        total += answers[i]->n_candidates;
        if (answers[i]->position < merged.position)
            merged.position = answers[i]->position;
    }
    TRY(need(candidates = ARENA_ARRAY(arena, Matching__V1__Candidate *, total + 1)));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < answers[i]->n_candidates; j++) {
            candidates[kept] = answers[i]->candidates[j];
            if (!candidates[kept++]->profile)
                return FAIL(arena, INTERNAL, "a candidate without a profile");
        }
    qsort(candidates, kept, sizeof(Matching__V1__Candidate *), by_score);
    merged.candidates = candidates;
    merged.n_candidates = kept < limit ? kept : limit;
    if (kept > 0)
        merged.empty_because = "";
    *ret = merged;
    return OK;
}
