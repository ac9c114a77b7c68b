/* Two shards of one index on a real Postgres. */

#include "matching/v1/shards.pb-c.h"
#include "services/matching/test_stage.h"

#define NEED_KIND MATCHING__V1__PROFILE_KIND__NEED
#define PERSON_KIND MATCHING__V1__PROFILE_KIND__PERSON
#define SUGGESTED "org.samverka.match.suggested.v1"
#define SHARDS STAGE_INSTANCES

static int
set_up(void **state)
{
    struct stage *stage = malloc(sizeof *stage);

    assert_non_null(stage);
    stage_begin(stage);
    for (unsigned i = 0; i < SHARDS; i++)
        stage_set_shard(stage, i, i + 1, SHARDS);
    *state = stage;
    return 0;
}

static int
tear_down(void **state)
{
    stage_end(*state);
    free(*state);
    return 0;
}

/* Both know all counts. */
static void
exchange(struct stage *stage)
{
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < SHARDS; i++)
            stage_exchange(stage, i);
}

static void
start_shards(struct stage *stage)
{
    for (unsigned i = 0; i < SHARDS; i++)
        (void)stage_start(stage, i);
    exchange(stage);
}

static struct status
try_find(struct stage *stage, unsigned instance, const char *id, uint32_t number,
         const Matching__V1__FindMatchesReply **ret)
{
    Matching__V1__FindInShardRequest request = MATCHING__V1__FIND_IN_SHARD_REQUEST__INIT;
    Matching__V1__FindMatchesRequest question = MATCHING__V1__FIND_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    ProtobufCMessage *reply;

    subject.kind = strcmp(id, STAGE_NEED) == 0 ? NEED_KIND : PERSON_KIND;
    subject.id = id;
    question.subject = &subject;
    request.ask = &question;
    request.shard = number;
    request.shards = SHARDS;
    TRY(stage_call_of(stage, shards_service, instance, "FindInShard", false, &request.base,
                      &reply));
    *ret = ((Matching__V1__FindInShardReply *)reply)->answer;
    return OK;
}

static void
all_shards_judge_by_the_time_given_unless_it_is_far_from_now(void **state)
{
    struct stage *stage = *state;
    Matching__V1__FindInShardRequest request = MATCHING__V1__FIND_IN_SHARD_REQUEST__INIT;
    Matching__V1__FindMatchesRequest question = MATCHING__V1__FIND_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    const uint64_t now = (uint64_t)clock_wall(stage->test.call.clock).unix_ms;
    ProtobufCMessage *reply;

    start_shards(stage);
    subject.kind = NEED_KIND;
    subject.id = STAGE_NEED;
    question.subject = &subject;
    request.ask = &question;
    request.shard = 1;
    request.shards = SHARDS;
    request.as_of_unix_ms = now - 5000;
    assert_ok(
        stage_call_of(stage, shards_service, 0, "FindInShard", false, &request.base, &reply));
    assert_int_equal(((Matching__V1__FindInShardReply *)reply)->answer->as_of_unix_ms,
                     now - 5000);
    request.as_of_unix_ms = now + 2 * UINT64_C(86400000);
    assert_code(
        stage_call_of(stage, shards_service, 0, "FindInShard", false, &request.base, &reply),
        INVALID_ARGUMENT);
    request.as_of_unix_ms = UINT64_MAX;
    assert_code(
        stage_call_of(stage, shards_service, 0, "FindInShard", false, &request.base, &reply),
        INVALID_ARGUMENT);
}

static const Matching__V1__FindMatchesReply *
find(struct stage *stage, unsigned instance, const char *id)
{
    const Matching__V1__FindMatchesReply *reply = NULL;

    assert_ok(try_find(stage, instance, id, instance + 1, &reply));
    return reply;
}

static Matching__V1__FindMatchesReply *
find_whole(struct stage *stage, const char *id)
{
    Matching__V1__FindMatchesRequest request = MATCHING__V1__FIND_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    ProtobufCMessage *reply;

    subject.kind = strcmp(id, STAGE_NEED) == 0 ? NEED_KIND : PERSON_KIND;
    subject.id = id;
    request.subject = &subject;
    assert_ok(stage_call(stage, 0, "FindMatches", false, &request.base, &reply));
    return (Matching__V1__FindMatchesReply *)reply;
}

/* How often the whole's candidates are among those of the shards, each with its score. */
static size_t
count_same(struct stage *stage, const Matching__V1__FindMatchesReply *whole, const char *id)
{
    size_t same = 0;

    for (unsigned i = 0; i < SHARDS; i++) {
        const Matching__V1__FindMatchesReply *part = find(stage, i, id);

        assert_string_equal(part->input_hash, whole->input_hash);
        for (size_t j = 0; j < part->n_candidates; j++)
            for (size_t k = 0; k < whole->n_candidates; k++)
                same += strcmp(part->candidates[j]->profile->id,
                               whole->candidates[k]->profile->id) == 0 &&
                        part->candidates[j]->score_thousandths ==
                            whole->candidates[k]->score_thousandths &&
                        part->candidates[j]->n_reasons == whole->candidates[k]->n_reasons;
    }
    return same;
}

static void
shards_answer_together_as_a_whole_index_does(void **state)
{
    static const char *const subjects[] = {STAGE_NEED, STAGE_RESEARCHER, STAGE_WELDER};
    struct stage *stage = *state;
    const Matching__V1__FindMatchesReply *whole[COUNT_OF(subjects)];

    stage_set_shard(stage, 0, 1, 1);
    (void)stage_start(stage, 0);
    for (size_t i = 0; i < COUNT_OF(subjects); i++)
        whole[i] = find_whole(stage, subjects[i]);
    assert_int_equal(whole[0]->n_candidates, 2);
    assert_int_equal(whole[1]->n_candidates, 1);
    assert_int_equal(whole[2]->n_candidates, 0);
    stage_set_shard(stage, 0, 1, SHARDS);
    start_shards(stage);
    assert_int_equal(stage->state[0]->shard.count, SHARDS);
    for (size_t i = 0; i < COUNT_OF(subjects); i++)
        assert_int_equal(count_same(stage, whole[i], subjects[i]), whole[i]->n_candidates);
}

static void
a_shard_answers_only_as_a_part_and_only_for_itself(void **state)
{
    struct stage *stage = *state;
    Matching__V1__FindMatchesRequest request = MATCHING__V1__FIND_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    const Matching__V1__FindMatchesReply *part;
    ProtobufCMessage *reply;

    start_shards(stage);
    subject.kind = NEED_KIND;
    subject.id = STAGE_NEED;
    request.subject = &subject;
    assert_code(stage_call(stage, 0, "FindMatches", false, &request.base, &reply),
                FAILED_PRECONDITION);
    assert_code(try_find(stage, 0, STAGE_NEED, 2, &part), FAILED_PRECONDITION);
    assert_code(try_find(stage, 0, STAGE_NOBODY, 1, &part), NOT_FOUND);
    assert_ok(try_find(stage, 0, STAGE_NEED, 1, &part));
}

static void
without_the_counts_of_the_other_shard_none_answers(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__FindMatchesReply *part;

    (void)stage_start(stage, 0);
    stage_exchange(stage, 0);
    assert_code(try_find(stage, 0, STAGE_NEED, 1, &part), UNAVAILABLE);
    assert_non_null(state_not_ready(stage->state[0]));
    /* Nor does it suggest: the event waits. */
    assert_code(stage_try_changed(stage, 0, 5, "need", STAGE_NEED), UNAVAILABLE);
    (void)stage_start(stage, 1);
    exchange(stage);
    assert_null(state_not_ready(stage->state[0]));
    assert_ok(try_find(stage, 0, STAGE_NEED, 1, &part));
    stage_changed(stage, 0, 5, "need", STAGE_NEED);
}

/* Of two instances of one shard, the one that lags behind does not write over the other. */
static void
counts_are_written_when_they_change_and_never_go_back(void **state)
{
    static const char version[] = "SELECT sum(version)::bigint FROM matching.shard_counts";
    struct stage *stage = *state;
    int64_t before;

    stage_head = 10;
    start_shards(stage);
    before = test_number(version);
    exchange(stage);
    assert_int_equal(test_number(version), before);
    stage_publish_hidden();
    for (unsigned i = 0; i < SHARDS; i++)
        stage_changed(stage, i, 12, "person", STAGE_HIDDEN);
    exchange(stage);
    assert_int_equal(test_number(version), before + 1);
    assert_int_equal(stage->state[0]->complete, true);
    stage_head = 3; /* as one that started before sees it */
    start_shards(stage);
    assert_int_equal(test_number("SELECT max(position) FROM matching.shard_counts"), 12);
}

static void
each_pair_is_suggested_once_whichever_shards_its_sides_are_in(void **state)
{
    struct stage *stage = *state;

    start_shards(stage);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < SHARDS; i++)
            stage_changed(stage, i, 5, "need", STAGE_NEED);
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion"), 2);
    assert_int_equal(stage_announced(SUGGESTED), 2);
    for (unsigned i = 0; i < SHARDS; i++)
        stage_changed(stage, i, 6, "person", STAGE_RESEARCHER);
    assert_int_equal(stage_announced(SUGGESTED), 2);
    assert_int_equal(test_number("SELECT count(*) FROM matching.listener"), SHARDS);
    assert_int_equal(test_number("SELECT min(position) FROM matching.listener"), 6);
}

static void
another_number_of_shards_goes_on_where_all_of_the_last_one_were(void **state)
{
    struct stage *stage = *state;

    stage_head = 20;
    start_shards(stage);
    for (unsigned i = 0; i < SHARDS; i++)
        stage_changed(stage, i, 5 + i, "need", STAGE_NEED);
    stage_set_shard(stage, 0, 1, 1);
    assert_int_equal(stage_start(stage, 0), 5);
    stage_changed(stage, 0, 21, "need", STAGE_NEED);
    stage_set_shard(stage, 0, 1, SHARDS);
    assert_int_equal(stage_start(stage, 0), 20); /* the head: 21 is behind it */
    assert_int_equal(stage_start(stage, 1), 20);
    stage_head = 30;
    assert_int_equal(stage_start(stage, 1), 21);
    assert_int_equal(stage_announced(SUGGESTED), 2);
}

static void
a_withdrawn_profile_of_either_shard_ends_its_suggestions(void **state)
{
    struct stage *stage = *state;

    start_shards(stage);
    for (unsigned i = 0; i < SHARDS; i++)
        stage_changed(stage, i, 5, "need", STAGE_NEED);
    stage_sql("DELETE FROM stage.profiles WHERE id = '" STAGE_RESEARCHER "'");
    for (unsigned i = 0; i < SHARDS; i++)
        stage_changed(stage, i, 6, "person", STAGE_RESEARCHER);
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion WHERE state = 4"),
                     1);
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion WHERE state = 1"),
                     1);
    for (unsigned i = 0; i < SHARDS; i++)
        for (size_t j = 0; j < find(stage, i, STAGE_NEED)->n_candidates; j++)
            assert_string_not_equal(find(stage, i, STAGE_NEED)->candidates[j]->profile->id,
                                    STAGE_RESEARCHER);
}

static const Matching__V1__SuggestMatchesReply *
remember(struct stage *stage, unsigned instance, const char *const *ids, size_t count)
{
    Matching__V1__RememberFoundRequest request = MATCHING__V1__REMEMBER_FOUND_REQUEST__INIT;
    Matching__V1__SuggestMatchesRequest question = MATCHING__V1__SUGGEST_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    Matching__V1__ProfileRef refs[8], *found[8];
    ProtobufCMessage *reply;

    subject.kind = NEED_KIND;
    subject.id = STAGE_NEED;
    question.subject = &subject;
    for (size_t i = 0; i < count; i++) {
        matching__v1__profile_ref__init(&refs[i]);
        refs[i].kind = PERSON_KIND;
        refs[i].id = ids[i];
        found[i] = &refs[i];
    }
    request.ask = &question;
    request.found = found;
    request.n_found = count;
    assert_ok(stage_call_of(stage, shards_service, instance, "RememberFound", true,
                            &request.base, &reply));
    return ((Matching__V1__RememberFoundReply *)reply)->answer;
}

/* Named twice, of another tenant and not shown, no match at all, not there: none is remembered
 * for being named. */
static void
any_instance_remembers_what_all_have_found(void **state)
{
    static const char *const named[] = {STAGE_FINN,    STAGE_RESEARCHER, STAGE_FINN,
                                        STAGE_FOREIGN, STAGE_WELDER,     STAGE_NOBODY};
    struct stage *stage = *state;
    const Matching__V1__SuggestMatchesReply *first, *again;

    start_shards(stage);
    first = remember(stage, 0, named, COUNT_OF(named));
    assert_int_equal(first->n_candidates, 2);
    assert_string_equal(first->candidates[0]->profile->id, STAGE_RESEARCHER);
    assert_string_equal(first->candidates[1]->profile->id, STAGE_FINN);
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion"), 2);
    again = remember(stage, 1, named, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(again->candidates[i]->match_id, first->candidates[i]->match_id);
        assert_int_equal(again->candidates[i]->score_thousandths,
                         first->candidates[i]->score_thousandths);
        assert_true(strlen(first->candidates[i]->match_id) > 0);
    }
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion"), 2);
    assert_int_equal(remember(stage, 1, named, 0)->n_candidates, 0);
}

int
main(void)
{
#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROOM_TEST(shards_answer_together_as_a_whole_index_does),
        ROOM_TEST(all_shards_judge_by_the_time_given_unless_it_is_far_from_now),
        ROOM_TEST(a_shard_answers_only_as_a_part_and_only_for_itself),
        ROOM_TEST(without_the_counts_of_the_other_shard_none_answers),
        ROOM_TEST(counts_are_written_when_they_change_and_never_go_back),
        ROOM_TEST(each_pair_is_suggested_once_whichever_shards_its_sides_are_in),
        ROOM_TEST(another_number_of_shards_goes_on_where_all_of_the_last_one_were),
        ROOM_TEST(a_withdrawn_profile_of_either_shard_ends_its_suggestions),
        ROOM_TEST(any_instance_remembers_what_all_have_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
