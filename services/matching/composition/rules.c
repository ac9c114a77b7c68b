#include "services/matching/composition/rules.h"

#include <string.h>

#include "common/base/uuid.h"
#include "services/matching/composition/model.h"

#define CODE_BYTES_MAX 40

static struct status
check_ids(struct arena *arena, const char *field, const char *const *ids, size_t count,
          size_t most)
{
    if (count > most)
        return FAIL_FIELD(arena, arena_printf(arena, "question.%s", field), "at most %zu",
                          most);
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(arena, "question.%s[%zu]", field, i);

        if (!uuid_valid(ids[i]))
            return FAIL_FIELD(arena, path, "must be a UUID in lower case");
        for (size_t k = 0; k < i && most <= QUESTION_BOARD_MAX; k++)
            if (!strcmp(ids[k], ids[i]))
                return FAIL_FIELD(arena, path, "comes twice");
    }
    return OK;
}

static struct status
check_candidates(struct arena *arena, const Matching__V1__CompositionQuestion *question)
{
    const bool cheapest = question->goal == MATCHING__V1__COMPOSITION_GOAL__CHEAPEST;

    if (question->n_candidates > QUESTION_CANDIDATES_MAX)
        return FAIL_FIELD(arena, "question.candidates", "at most %d", QUESTION_CANDIDATES_MAX);
    if (cheapest && !question->n_candidates)
        return FAIL_FIELD(arena, "question.candidates", "CHEAPEST needs those it costs");
    for (size_t i = 0; i < question->n_candidates; i++) {
        const Matching__V1__CompositionCandidate *candidate = question->candidates[i];

        if (!uuid_valid(candidate->organisation_id))
            return FAIL_FIELD(
                arena, arena_printf(arena, "question.candidates[%zu].organisation_id", i),
                "must be a UUID in lower case");
        if (cheapest && (!candidate->cost || candidate->cost > MODEL_COST_MAX))
            return FAIL_FIELD(arena, arena_printf(arena, "question.candidates[%zu].cost", i),
                              "must be 1 to %u", MODEL_COST_MAX);
    }
    return OK;
}

static struct status
check_switches(struct arena *arena, const Matching__V1__CompositionQuestion *question)
{
    if (question->n_switches > QUESTION_SWITCHES_MAX)
        return FAIL_FIELD(arena, "question.switches", "at most %d", QUESTION_SWITCHES_MAX);
    for (size_t i = 0; i < question->n_switches; i++)
        if (!*question->switches[i] || strlen(question->switches[i]) > CODE_BYTES_MAX)
            return FAIL_FIELD(arena, arena_printf(arena, "question.switches[%zu]", i),
                              "must be 1 to %d bytes", CODE_BYTES_MAX);
    return OK;
}

static struct status
fill_in(struct arena *arena, Matching__V1__CompositionQuestion *question)
{
    if (!question->goal)
        question->goal = MATCHING__V1__COMPOSITION_GOAL__SMALLEST;
    if ((int)question->goal < 0 || question->goal > MATCHING__V1__COMPOSITION_GOAL__CHEAPEST)
        return FAIL_FIELD(arena, "question.goal", "is not a goal");
    if (!question->sets_wanted)
        question->sets_wanted = QUESTION_SETS;
    if (question->sets_wanted > QUESTION_SETS_MAX)
        return FAIL_FIELD(arena, "question.sets_wanted", "at most %d", QUESTION_SETS_MAX);
    if (!question->limit_ms)
        question->limit_ms = QUESTION_LIMIT_MS;
    if (question->limit_ms < QUESTION_LIMIT_MS_LEAST ||
        question->limit_ms > QUESTION_LIMIT_MS_MAX)
        return FAIL_FIELD(arena, "question.limit_ms", "must be %d to %d",
                          QUESTION_LIMIT_MS_LEAST, QUESTION_LIMIT_MS_MAX);
    return OK;
}

struct status
rules_question(struct arena *arena, Matching__V1__CompositionQuestion *question)
{
    if (!*question->programme_code || strlen(question->programme_code) > CODE_BYTES_MAX)
        return FAIL_FIELD(arena, "question.programme_code", "must be 1 to %d bytes",
                          CODE_BYTES_MAX);
    TRY(fill_in(arena, question));
    TRY(check_switches(arena, question));
    TRY(check_ids(arena, "board", question->board, question->n_board, QUESTION_BOARD_MAX));
    TRY(check_ids(arena, "excluded", question->excluded, question->n_excluded,
                  QUESTION_EXCLUDED_MAX));
    TRY(check_ids(arena, "topic", question->topic, question->n_topic, QUESTION_CONCEPTS_MAX));
    TRY(check_ids(arena, "required", question->required, question->n_required,
                  QUESTION_CONCEPTS_MAX));
    return check_candidates(arena, question);
}
