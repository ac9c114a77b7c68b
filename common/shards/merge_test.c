#include "common/shards/merge.h"

#include "common/base/test.h"

#define SHARDS 3
#define EACH 4

struct answers {
    struct arena arena;
    Matching__V1__FindMatchesReply replies[SHARDS], *list[SHARDS];
    Matching__V1__Candidate candidates[SHARDS][EACH], *pointers[SHARDS][EACH];
    Matching__V1__ProfileRef profiles[SHARDS][EACH];
};

static int
set_up(void **state)
{
    struct answers *answers = calloc(1, sizeof *answers);

    assert_non_null(answers);
    arena_init(&answers->arena, ARENA_CALL_BYTES);
    for (size_t i = 0; i < SHARDS; i++) {
        Matching__V1__FindMatchesReply *reply = &answers->replies[i];

        matching__v1__find_matches_reply__init(reply);
        reply->input_hash = "same";
        reply->weights_version = "1";
        reply->as_of_unix_ms = 7;
        reply->position = 100 - i;
        reply->candidates = answers->pointers[i];
        answers->list[i] = reply;
    }
    *state = answers;
    return 0;
}

static int
tear_down(void **state)
{
    struct answers *answers = *state;

    arena_fini(&answers->arena);
    free(answers);
    return 0;
}

static void
add(struct answers *answers, size_t shard, const char *id, uint32_t score)
{
    Matching__V1__FindMatchesReply *reply = answers->list[shard];
    const size_t at = reply->n_candidates++;
    Matching__V1__Candidate *candidate = &answers->candidates[shard][at];

    matching__v1__candidate__init(candidate);
    matching__v1__profile_ref__init(&answers->profiles[shard][at]);
    answers->profiles[shard][at].id = id;
    candidate->profile = &answers->profiles[shard][at];
    candidate->score_thousandths = score;
    answers->pointers[shard][at] = candidate;
}

static Matching__V1__FindMatchesReply
merge(struct answers *answers, size_t limit)
{
    Matching__V1__FindMatchesReply merged;

    assert_int_equal(merge_answers(answers->list, SHARDS, limit, &answers->arena, &merged).code,
                     CODE_OK);
    return merged;
}

static void
the_best_come_first_and_equals_by_id(void **state)
{
    static const char *const expected[] = {"c", "a", "e", "b", "d"};
    struct answers *answers = *state;
    Matching__V1__FindMatchesReply merged;

    add(answers, 0, "e", 500);
    add(answers, 0, "b", 400);
    add(answers, 2, "c", 900);
    add(answers, 2, "a", 500);
    add(answers, 2, "d", 400);
    merged = merge(answers, 10);
    assert_int_equal(merged.n_candidates, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_string_equal(merged.candidates[i]->profile->id, expected[i]);
    assert_int_equal(merged.position, 98);
    assert_string_equal(merged.input_hash, "same");
}

static void
no_more_than_the_limit_is_shown(void **state)
{
    struct answers *answers = *state;
    Matching__V1__FindMatchesReply merged;

    add(answers, 0, "x", 1);
    add(answers, 1, "y", 3);
    add(answers, 2, "z", 2);
    merged = merge(answers, 2);
    assert_int_equal(merged.n_candidates, 2);
    assert_string_equal(merged.candidates[1]->profile->id, "z");
}

/* A shard without candidates says why; the others may have some. */
static void
nothing_is_explained_only_when_nothing_was_found(void **state)
{
    struct answers *answers = *state;

    for (size_t i = 0; i < SHARDS; i++)
        answers->replies[i].empty_because = "nobody fits";
    assert_string_equal(merge(answers, 5).empty_because, "nobody fits");
    add(answers, 1, "y", 3);
    answers->replies[1].empty_because = "";
    assert_string_equal(merge(answers, 5).empty_because, "");
}

static void
answers_to_different_questions_are_not_put_together(void **state)
{
    struct answers *answers = *state;
    Matching__V1__FindMatchesReply merged;

    answers->replies[2].input_hash = "another";
    assert_int_equal(merge_answers(answers->list, SHARDS, 5, &answers->arena, &merged).code,
                     CODE_ABORTED);
    answers->replies[2].input_hash = "same";
    answers->replies[1].as_of_unix_ms = 8;
    assert_int_equal(merge_answers(answers->list, SHARDS, 5, &answers->arena, &merged).code,
                     CODE_ABORTED);
}

static void
a_candidate_without_a_profile_is_a_fault(void **state)
{
    struct answers *answers = *state;
    Matching__V1__FindMatchesReply merged;

    add(answers, 0, "x", 1);
    answers->pointers[0][0]->profile = NULL;
    assert_int_equal(merge_answers(answers->list, SHARDS, 5, &answers->arena, &merged).code,
                     CODE_INTERNAL);
}

int
main(void)
{
#define MERGE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        MERGE_TEST(the_best_come_first_and_equals_by_id),
        MERGE_TEST(no_more_than_the_limit_is_shown),
        MERGE_TEST(nothing_is_explained_only_when_nothing_was_found),
        MERGE_TEST(answers_to_different_questions_are_not_put_together),
        MERGE_TEST(a_candidate_without_a_profile_is_a_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
