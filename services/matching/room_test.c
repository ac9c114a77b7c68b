/* The room on a real Postgres, with the views as registry's migrations make them. */

#include <pthread.h>

#include "common/service/dispatch.h"
#include "matching/v1/concepts.pb-c.h"
#include "services/matching/test_stage.h"

static int
set_up(void **state)
{
    struct stage *stage = malloc(sizeof *stage);

    assert_non_null(stage);
    stage_begin(stage);
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

static Matching__V1__FindMatchesReply *
find(struct stage *stage, unsigned instance, Matching__V1__ProfileKind kind, const char *id)
{
    Matching__V1__FindMatchesRequest request = MATCHING__V1__FIND_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    ProtobufCMessage *reply;

    subject.kind = kind;
    subject.id = id;
    request.subject = &subject;
    assert_ok(stage_call(stage, instance, "FindMatches", false, &request.base, &reply));
    return (Matching__V1__FindMatchesReply *)reply;
}

static bool
has_candidate(const Matching__V1__FindMatchesReply *reply, const char *id)
{
    for (size_t i = 0; i < reply->n_candidates; i++)
        if (strcmp(reply->candidates[i]->profile->id, id) == 0)
            return true;
    return false;
}

#define NEED_KIND MATCHING__V1__PROFILE_KIND__NEED
#define PERSON_KIND MATCHING__V1__PROFILE_KIND__PERSON
#define SUGGESTED "org.samverka.match.suggested.v1"

static void
the_views_are_read_at_the_start_and_found_in(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__FindMatchesReply *reply;

    assert_non_null(state_not_ready(stage->state[0]));
    stage_head = 17;
    (void)stage_start(stage, 0);
    assert_null(state_not_ready(stage->state[0]));
    reply = find(stage, 0, NEED_KIND, STAGE_NEED);
    assert_int_equal(reply->position, 17);
    assert_int_equal(reply->n_candidates, 2);
    /* Both do energy efficiency; the Finn does not share the Swedish words. */
    assert_string_equal(reply->candidates[0]->profile->id, STAGE_RESEARCHER);
    assert_string_equal(reply->candidates[1]->profile->id, STAGE_FINN);
    assert_true(reply->candidates[1]->score_thousandths > 60000);
    assert_true(strlen(reply->statement) > 0);
}

static uint32_t
live(struct stage *stage)
{
    const struct snapshot *snapshot;
    struct held held;
    uint32_t count;

    assert_ok(state_hold(stage->state[0], &stage->test.arena, &held, &snapshot));
    count = snapshot->live;
    swap_release(&held);
    return count;
}

/* More than two pages, and exactly two. */
static void
as_many_profiles_are_read_as_are_published(void **state)
{
    struct stage *stage = *state;
    uint32_t before;

    (void)stage_start(stage, 0);
    before = live(stage);
    stage_sql(
        "INSERT INTO stage.profiles SELECT p.* FROM stage.profiles p, generate_series(1, 4100) "
        "WHERE id = '" STAGE_FINN "'");
    stage_sql("UPDATE stage.profiles SET id = gen_random_uuid() WHERE ctid <> "
              "(SELECT min(ctid) FROM stage.profiles WHERE id = '" STAGE_FINN
              "') AND id = '" STAGE_FINN "'");
    (void)stage_start(stage, 0);
    assert_int_equal(live(stage), before + 4100);
    stage_sql("DELETE FROM stage.profiles WHERE ctid IN (SELECT ctid FROM stage.profiles WHERE "
              "kind = "
              "'person' OFFSET 4000)");
    (void)stage_start(stage, 0);
    assert_int_equal(live(stage), 4000 + 1); /* and the need */
}

static void
an_answer_says_what_it_was_made_from(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__FindMatchesReply *first, *again, *other;

    (void)stage_start(stage, 0);
    (void)stage_start(stage, 1);
    first = find(stage, 0, NEED_KIND, STAGE_NEED);
    again = find(stage, 1, NEED_KIND, STAGE_NEED);
    other = find(stage, 0, PERSON_KIND, STAGE_RESEARCHER);
    assert_int_equal(strlen(first->input_hash), 64);
    assert_string_equal(first->input_hash, again->input_hash);
    assert_string_not_equal(first->input_hash, other->input_hash);
    assert_in_range(first->as_of_unix_ms, 1,
                    (uint64_t)clock_wall(stage->test.call.clock).unix_ms);
    assert_true(strlen(first->weights_version) > 0);
}

static void
hidden_and_foreign_people_are_not_found(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__FindMatchesReply *reply;

    (void)stage_start(stage, 0);
    reply = find(stage, 0, NEED_KIND, STAGE_NEED);
    assert_false(has_candidate(reply, STAGE_HIDDEN));
    assert_false(has_candidate(reply, STAGE_FOREIGN));
    stage_publish_hidden();
    stage_changed(stage, 0, 1, "person", STAGE_HIDDEN);
    assert_true(has_candidate(find(stage, 0, NEED_KIND, STAGE_NEED), STAGE_HIDDEN));
}

static void
another_tenant_can_neither_ask_for_a_private_need_nor_learn_that_it_exists(void **state)
{
    struct stage *stage = *state;
    Matching__V1__FindMatchesRequest request = MATCHING__V1__FIND_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    ProtobufCMessage *reply;
    struct status theirs, nobodys;

    (void)stage_start(stage, 0);
    stage->test.principal.tenant_id = TENANT_B;
    request.subject = &subject;
    subject.kind = NEED_KIND;
    subject.id = STAGE_NEED;
    theirs = stage_call(stage, 0, "FindMatches", false, &request.base, &reply);
    subject.id = STAGE_NOBODY;
    nobodys = stage_call(stage, 0, "FindMatches", false, &request.base, &reply);
    assert_code(theirs, NOT_FOUND);
    assert_code(nobodys, NOT_FOUND);
    assert_string_equal(theirs.detail, nobodys.detail);
}

static void
suggestions_of_a_published_need_are_told_once_by_two_instances(void **state)
{
    struct stage *stage = *state;

    (void)stage_start(stage, 0);
    (void)stage_start(stage, 1);
    stage_changed(stage, 0, 5, "need", STAGE_NEED);
    stage_changed(stage, 1, 5, "need", STAGE_NEED);
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion"), 2);
    assert_int_equal(stage_announced(SUGGESTED), 2);
    assert_int_equal(test_number("SELECT position FROM matching.listener"), 5);
}

static void
a_race_of_two_instances_that_both_do_the_work_tells_once_too(void **state)
{
    struct stage *stage = *state;

    (void)stage_start(stage, 0);
    (void)stage_start(stage, 1);
    stage_changed(stage, 0, 5, "need", STAGE_NEED);
    /* The other one does not know that it is done. */
    stage_sql("DELETE FROM matching.listener");
    stage_changed(stage, 1, 5, "need", STAGE_NEED);
    assert_int_equal(stage_announced(SUGGESTED), 2);
}

/* An instance on a thread of its own. */
struct racer {
    struct call call;
    struct arena arena;
    struct status status;
};

static void *
race(void *argument)
{
    struct racer *racer = argument;
    Registry__V1__ProfilesChanged event = REGISTRY__V1__PROFILES_CHANGED__INIT;
    Registry__V1__ProfileKey key = REGISTRY__V1__PROFILE_KEY__INIT;
    Registry__V1__ProfileKey *keys[] = {&key};

    key.kind = "need";
    key.id = STAGE_NEED;
    event.n_profiles = 1;
    event.profiles = keys;
    racer->status = dispatch_invoke(matching_inbox.service, 0, &event.base, &racer->call);
    return NULL;
}

static void
instances_that_race_on_threads_tell_once(void **state)
{
    struct stage *stage = *state;
    struct racer racers[STAGE_INSTANCES];
    pthread_t threads[STAGE_INSTANCES];

    for (unsigned i = 0; i < STAGE_INSTANCES; i++)
        (void)stage_start(stage, i);
    for (unsigned i = 0; i < STAGE_INSTANCES; i++) {
        arena_init(&racers[i].arena, ARENA_CALL_BYTES);
        racers[i].call = stage->test.call;
        racers[i].call.arena = &racers[i].arena;
        racers[i].call.pg = stage->pg[i];
        racers[i].call.state = stage->state[i];
        racers[i].call.tenant_id = TENANT_A;
        racers[i].call.position = 5;
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < STAGE_INSTANCES; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_ok(racers[i].status);
        arena_fini(&racers[i].arena);
    }
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion"), 2);
    assert_int_equal(stage_announced(SUGGESTED), 2);
}

static void
a_pair_that_both_sides_publish_is_told_once(void **state)
{
    struct stage *stage = *state;

    (void)stage_start(stage, 0);
    stage_changed(stage, 0, 5, "need", STAGE_NEED);
    stage_changed(stage, 0, 6, "person", STAGE_RESEARCHER);
    stage_changed(stage, 0, 7, "person", STAGE_FINN);
    stage_changed(stage, 0, 8, "need", STAGE_NEED);
    assert_int_equal(stage_announced(SUGGESTED), 2);
}

static void
an_offer_published_after_the_need_finds_it(void **state)
{
    struct stage *stage = *state;

    (void)stage_start(stage, 0);
    stage_publish_hidden();
    stage_changed(stage, 0, 5, "person", STAGE_HIDDEN);
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion WHERE query_id = "
                                 "'" STAGE_NEED "' AND candidate_id = '" STAGE_HIDDEN "' "
                                 "AND position = 5 AND told_at IS NOT NULL"),
                     1);
    assert_int_equal(stage_announced(SUGGESTED), 1);
    /* The need is private to its tenant, so the news is, too. */
    assert_int_equal(stage_announced(TENANT_A "," TENANT_B), 0);
}

static void
a_welder_is_not_suggested_for_energy(void **state)
{
    struct stage *stage = *state;

    (void)stage_start(stage, 0);
    stage_changed(stage, 0, 5, "person", STAGE_WELDER);
    assert_int_equal(stage_announced(SUGGESTED), 0);
}

static void
what_happened_while_nobody_ran_is_made_up_for(void **state)
{
    struct stage *stage = *state;

    stage_head = 3;
    (void)stage_start(stage, 0);
    stage_changed(stage, 0, 4, "person", STAGE_WELDER);
    /* It dies; the need is published at 5; the other starts at head 9. */
    stage_head = 9;
    assert_int_equal(stage_start(stage, 1), 4);
    stage_changed(stage, 1, 5, "need", STAGE_NEED);
    assert_int_equal(stage_announced(SUGGESTED), 2);
    assert_int_equal(find(stage, 1, NEED_KIND, STAGE_NEED)->position, 9);
    /* Kept no longer: what is left. */
    stage_first_kept = 8;
    assert_int_equal(stage_start(stage, 1), 8);
}

static void
a_withdrawn_person_is_gone_from_index_suggestions_and_explanations(void **state)
{
    struct stage *stage = *state;

    (void)stage_start(stage, 0);
    stage_changed(stage, 0, 5, "need", STAGE_NEED);
    stage_sql("DELETE FROM stage.profiles WHERE id = '" STAGE_RESEARCHER "'");
    stage_changed(stage, 0, 6, "person", STAGE_RESEARCHER);
    assert_false(has_candidate(find(stage, 0, NEED_KIND, STAGE_NEED), STAGE_RESEARCHER));
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion WHERE state = 4 AND "
                                 "explanation = '' AND candidate_id = '" STAGE_RESEARCHER "'"),
                     1);
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion WHERE state = 1"),
                     1);
    /* Back again: the pair is open again, but nobody is told twice. */
    stage_publish_researcher();
    stage_changed(stage, 0, 7, "person", STAGE_RESEARCHER);
    assert_int_equal(test_number("SELECT count(*) FROM matching.suggestion WHERE state = 1"),
                     2);
    assert_int_equal(stage_announced(SUGGESTED), 2);
}

static void
a_changed_vocabulary_is_read_again_once(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__FindMatchesReply *reply;

    (void)stage_start(stage, 0);
    stage_sql("UPDATE stage.concepts SET label_en = 'saving energy' WHERE id = "
              "'" STAGE_ENERGY "'");
    stage_head = 8;
    stage_concepts_changed(stage, 0, 6);
    reply = find(stage, 0, NEED_KIND, STAGE_NEED);
    assert_int_equal(reply->position, 8);
    assert_string_equal(reply->candidates[0]->reasons[0]->concept_label, "saving energy");
    /* Its twin lies before the head that was read: nothing is left to do. */
    stage_head = 11;
    stage_concepts_changed(stage, 0, 7);
    assert_int_equal(find(stage, 0, NEED_KIND, STAGE_NEED)->position, 8);
}

static void
a_person_asks_for_the_own_profile_only(void **state)
{
    struct stage *stage = *state;
    Matching__V1__FindMatchesRequest request = MATCHING__V1__FIND_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    ProtobufCMessage *reply;

    (void)stage_start(stage, 0);
    stage->test.roles[0] = WIRE__V1__ROLE__GRADUATE;
    stage->test.principal.person_id = STAGE_RESEARCHER;
    assert_int_equal(find(stage, 0, PERSON_KIND, STAGE_RESEARCHER)->n_candidates, 1);
    request.subject = &subject;
    subject.kind = PERSON_KIND;
    subject.id = STAGE_WELDER;
    assert_code(stage_call(stage, 0, "FindMatches", false, &request.base, &reply),
                PERMISSION_DENIED);
}

static const Matching__V1__Candidate *
candidate_of(const Matching__V1__FindMatchesReply *reply, const char *id)
{
    for (size_t i = 0; i < reply->n_candidates; i++)
        if (strcmp(reply->candidates[i]->profile->id, id) == 0)
            return reply->candidates[i];
    fail_msg("%s is not found", id);
    return NULL;
}

static void
a_persons_wishes_count_from_both_sides_as_soon_as_they_are_heard_of(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__Candidate *person, *need;
    uint32_t before;

    (void)stage_start(stage, 0);
    before = candidate_of(find(stage, 0, NEED_KIND, STAGE_NEED), STAGE_RESEARCHER)
                 ->score_thousandths;
    stage_sql("UPDATE stage.profiles SET wished_concept_ids = '{" STAGE_WELDING "}', "
              "wished_concept_weights = '{1000}', wished_nuts = '{SE31}', wished_tags = "
              "'{process}' WHERE id = '" STAGE_RESEARCHER "'");
    stage_changed(stage, 0, 1, "person", STAGE_RESEARCHER);
    person = candidate_of(find(stage, 0, NEED_KIND, STAGE_NEED), STAGE_RESEARCHER);
    need = candidate_of(find(stage, 0, PERSON_KIND, STAGE_RESEARCHER), STAGE_NEED);
    /* The region is two of ten parts: 2 * F * 20,000 / (F + 20,000). */
    assert_int_equal(person->score_thousandths,
                     UINT64_C(2) * before * 20000 / ((uint64_t)before + 20000));
    assert_int_equal(need->score_thousandths, person->score_thousandths);
    assert_int_equal(person->parts[person->n_parts - 1]->part,
                     MATCHING__V1__SCORE_PART__WISHES);
    assert_int_equal(person->parts[person->n_parts - 1]->deduction_thousandths,
                     before - person->score_thousandths);
    stage_sql("UPDATE stage.profiles SET wished_concept_ids = '{" STAGE_ENERGY "}', "
              "wished_tags = '{}' WHERE id = '" STAGE_RESEARCHER "'");
    stage_changed(stage, 0, 2, "person", STAGE_RESEARCHER);
    person = candidate_of(find(stage, 0, NEED_KIND, STAGE_NEED), STAGE_RESEARCHER);
    assert_int_equal(person->score_thousandths, before);
}

static Matching__V1__LinkTextReply *
link_text(struct stage *stage, const char *text, const char *text_lang)
{
    Matching__V1__LinkTextRequest request = MATCHING__V1__LINK_TEXT_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.text = text;
    request.text_lang = text_lang;
    request.language = "en";
    stage->test.call.state = stage->state[0];
    assert_ok(
        rpc_test_call_into(&stage->test, texts_service, "LinkText", &request.base, &reply));
    return (Matching__V1__LinkTextReply *)reply;
}

static void
a_text_in_any_language_is_linked_to_the_same_concept_with_its_place(void **state)
{
    static const char *const texts[] = {"Vi vill ha energieffektiviseringen nu",
                                        "Etsimme energiatehokkuutta",
                                        "looking for energy efficiency"};
    struct stage *stage = *state;
    Matching__V1__LinkTextRequest empty = MATCHING__V1__LINK_TEXT_REQUEST__INIT;
    ProtobufCMessage *refused;

    (void)stage_start(stage, 0);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const Matching__V1__LinkTextReply *reply = link_text(stage, texts[i], "");

        assert_string_equal(reply->text_lang, lang_tag((enum lang)i));
        assert_int_equal(reply->n_links, 1);
        assert_string_equal(reply->links[0]->concept_id, STAGE_ENERGY);
        assert_string_equal(reply->links[0]->label, "energy efficiency");
        assert_true(reply->links[0]->end_byte <= strlen(texts[i]));
        assert_true(reply->links[0]->start_byte > 5);
    }
    assert_int_equal(link_text(stage, texts[1], "sv")->n_links, 0);
    assert_code(
        rpc_test_call_into(&stage->test, texts_service, "LinkText", &empty.base, &refused),
        INVALID_ARGUMENT);
    empty.text = "x";
    empty.text_lang = "de";
    assert_code(
        rpc_test_call_into(&stage->test, texts_service, "LinkText", &empty.base, &refused),
        INVALID_ARGUMENT);
}

int
main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(the_views_are_read_at_the_start_and_found_in),
        STAGE_TEST(as_many_profiles_are_read_as_are_published),
        STAGE_TEST(an_answer_says_what_it_was_made_from),
        STAGE_TEST(hidden_and_foreign_people_are_not_found),
        STAGE_TEST(another_tenant_can_neither_ask_for_a_private_need_nor_learn_that_it_exists),
        STAGE_TEST(suggestions_of_a_published_need_are_told_once_by_two_instances),
        STAGE_TEST(a_race_of_two_instances_that_both_do_the_work_tells_once_too),
        STAGE_TEST(instances_that_race_on_threads_tell_once),
        STAGE_TEST(a_pair_that_both_sides_publish_is_told_once),
        STAGE_TEST(an_offer_published_after_the_need_finds_it),
        STAGE_TEST(a_welder_is_not_suggested_for_energy),
        STAGE_TEST(what_happened_while_nobody_ran_is_made_up_for),
        STAGE_TEST(a_withdrawn_person_is_gone_from_index_suggestions_and_explanations),
        STAGE_TEST(a_changed_vocabulary_is_read_again_once),
        STAGE_TEST(a_person_asks_for_the_own_profile_only),
        STAGE_TEST(a_persons_wishes_count_from_both_sides_as_soon_as_they_are_heard_of),
        STAGE_TEST(a_text_in_any_language_is_linked_to_the_same_concept_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
