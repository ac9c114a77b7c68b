/* Suggesting, listing, accepting and declining on a real Postgres. */

#include "services/matching/test_stage.h"

static int
set_up(void **state)
{
    struct stage *stage = malloc(sizeof *stage);

    assert_non_null(stage);
    stage_begin(stage);
    (void)stage_start(stage, 0);
    (void)stage_start(stage, 1);
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

static Matching__V1__SuggestMatchesReply *
suggest(struct stage *stage)
{
    Matching__V1__SuggestMatchesRequest request = MATCHING__V1__SUGGEST_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    ProtobufCMessage *reply;

    subject.kind = MATCHING__V1__PROFILE_KIND__NEED;
    subject.id = STAGE_NEED;
    request.subject = &subject;
    request.language = "sv";
    assert_ok(stage_call(stage, 0, "SuggestMatches", true, &request.base, &reply));
    return (Matching__V1__SuggestMatchesReply *)reply;
}

static struct status
accept(struct stage *stage, const char *match_id, Matching__V1__MatchRole role,
       uint64_t version, Matching__V1__Match **ret)
{
    Matching__V1__AcceptMatchRequest request = MATCHING__V1__ACCEPT_MATCH_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.match_id = match_id;
    request.role = role;
    request.expected_version = version;
    TRY(stage_call(stage, 1, "AcceptMatch", true, &request.base, &reply));
    if (ret)
        *ret = ((Matching__V1__AcceptMatchReply *)reply)->match;
    return OK;
}

static struct status
decline(struct stage *stage, const char *match_id, Matching__V1__DeclineReason reason,
        uint64_t version, const char *note)
{
    Matching__V1__DeclineMatchRequest request = MATCHING__V1__DECLINE_MATCH_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.match_id = match_id;
    request.reason = reason;
    request.expected_version = version;
    request.note = note;
    return stage_call(stage, 0, "DeclineMatch", true, &request.base, &reply);
}

static struct status
get(struct stage *stage, const char *match_id, const char *language, Matching__V1__Match **ret)
{
    Matching__V1__GetMatchRequest request = MATCHING__V1__GET_MATCH_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.match_id = match_id;
    request.language = language;
    TRY(stage_call(stage, 1, "GetMatch", false, &request.base, &reply));
    *ret = ((Matching__V1__GetMatchReply *)reply)->match;
    return OK;
}

#define COACH MATCHING__V1__MATCH_ROLE__ACADEMIC_COACH

static void
what_was_shown_is_remembered_and_nobody_is_told(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__SuggestMatchesReply *first = suggest(stage);
    const Matching__V1__SuggestMatchesReply *second = suggest(stage);

    assert_int_equal(first->n_candidates, 2);
    for (size_t i = 0; i < first->n_candidates; i++) {
        assert_true(uuid_valid(first->candidates[i]->match_id));
        assert_string_equal(first->candidates[i]->match_id, second->candidates[i]->match_id);
        assert_int_equal(second->candidates[i]->version, 1);
        assert_int_equal(second->candidates[i]->state, MATCHING__V1__MATCH_STATE__SUGGESTED);
    }
    assert_int_equal(stage_announced("match.suggested"), 0);
    /* Found by matching itself later, both sides are told after all: once. */
    stage_changed(stage, 0, 5, "need", STAGE_NEED);
    assert_int_equal(stage_announced("match.suggested"), 2);
    assert_string_equal(suggest(stage)->candidates[0]->match_id,
                        first->candidates[0]->match_id);
}

static void
a_match_is_told_in_the_language_asked_for_and_adds_up(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__SuggestMatchesReply *shown = suggest(stage);
    static const char *const labels[] = {"energieffektivisering", "energiatehokkuus",
                                         "energy efficiency"};
    static const char *const languages[] = {"sv", "fi", "en"};

    for (size_t i = 0; i < COUNT_OF(languages); i++) {
        Matching__V1__Match *match;
        uint32_t parts = 0;
        uint32_t reasons = 0;

        assert_ok(get(stage, shown->candidates[0]->match_id, languages[i], &match));
        assert_string_equal(match->reasons[0]->concept_label, labels[i]);
        for (size_t j = 0; j < match->n_parts; j++)
            parts += match->parts[j]->score_thousandths;
        for (size_t j = 0; j < match->n_reasons; j++)
            reasons += match->reasons[j]->score_thousandths;
        assert_int_equal(parts, match->score_thousandths);
        assert_int_equal(reasons, match->score_thousandths);
    }
}

static void
a_coach_is_accepted_once_and_it_is_announced(void **state)
{
    struct stage *stage = *state;
    const char *id = suggest(stage)->candidates[0]->match_id;
    Matching__V1__Match *match;

    assert_code(accept(stage, id, COACH, 0, NULL), PRECONDITION_REQUIRED);
    assert_code(accept(stage, id, COACH, 7, NULL), VERSION_MISMATCH);
    assert_code(accept(stage, id, MATCHING__V1__MATCH_ROLE__EQUIPMENT, 1, NULL),
                INVALID_ARGUMENT);
    assert_ok(accept(stage, id, COACH, 1, &match));
    assert_int_equal(match->state, MATCHING__V1__MATCH_STATE__ACCEPTED);
    assert_int_equal(match->version, 2);
    assert_string_equal(match->decided_by, RPC_TEST_SUBJECT);
    assert_int_equal(stage_announced("match.accepted"), 1);
    assert_code(accept(stage, id, COACH, 2, NULL), FAILED_PRECONDITION);
    assert_code(decline(stage, id, MATCHING__V1__DECLINE_REASON__NO_CAPACITY, 2, ""),
                FAILED_PRECONDITION);
    /* Asked for again, and found again, it stays accepted and nobody is told. */
    assert_int_equal(suggest(stage)->candidates[0]->state, MATCHING__V1__MATCH_STATE__ACCEPTED);
    stage_changed(stage, 0, 5, "person", STAGE_RESEARCHER);
    assert_int_equal(stage_announced("match.suggested"), 0);
}

static void
declining_takes_a_reason_and_the_note_stays_with_the_officers(void **state)
{
    struct stage *stage = *state;
    const char *id = suggest(stage)->candidates[1]->match_id;
    const Matching__V1__DeclineReason other = MATCHING__V1__DECLINE_REASON__OTHER_REASON;
    Matching__V1__Match *match;

    assert_code(
        decline(stage, id, MATCHING__V1__DECLINE_REASON__DECLINE_REASON_UNSPECIFIED, 1, ""),
        INVALID_ARGUMENT);
    assert_code(decline(stage, id, other, 1, ""), INVALID_ARGUMENT);
    assert_ok(decline(stage, id, other, 1, "Hemlig anteckning"));
    assert_int_equal(stage_announced("match.declined"), 1);
    assert_int_equal(stage_announced("Hemlig"), 0);
    assert_ok(get(stage, id, "sv", &match));
    assert_string_equal(match->note, "Hemlig anteckning");
    assert_int_equal(match->decline_reason, other);
    stage->test.roles[0] = WIRE__V1__ROLE__STRATEGIC_LEAD;
    stage->test.principal.subject_id = STAGE_NOBODY;
    assert_ok(get(stage, id, "sv", &match));
    assert_string_equal(match->note, "");
}

static void
another_tenant_sees_a_private_match_as_one_that_does_not_exist(void **state)
{
    struct stage *stage = *state;
    const char *id = suggest(stage)->candidates[1]->match_id; /* the Finn's */
    Matching__V1__Match *match;

    stage->test.principal.tenant_id = TENANT_B;
    assert_code(get(stage, id, "fi", &match), NOT_FOUND);
    assert_code(accept(stage, id, COACH, 1, NULL), NOT_FOUND);
    assert_code(decline(stage, id, MATCHING__V1__DECLINE_REASON__NO_CAPACITY, 1, ""),
                NOT_FOUND);
}

static void
the_other_side_sees_a_public_match_it_was_told_of_but_does_not_decide_it(void **state)
{
    struct stage *stage = *state;
    Matching__V1__Match *match;
    const char *id;

    stage_sql("UPDATE stage.profiles SET visibility = 'public' WHERE kind = 'need'");
    stage_changed(stage, 0, 5, "need", STAGE_NEED);
    assert_int_equal(stage_announced(TENANT_A "," TENANT_B), 1);
    id = suggest(stage)->candidates[1]->match_id;
    stage->test.principal.tenant_id = TENANT_B;
    assert_ok(get(stage, id, "fi", &match));
    assert_string_equal(match->candidate->id, STAGE_FINN);
    assert_code(accept(stage, id, COACH, match->version, NULL), PERMISSION_DENIED);
}

static Matching__V1__ListSuggestionsReply *
list(struct stage *stage, uint32_t page_size, const char *token)
{
    Matching__V1__ListSuggestionsRequest request = MATCHING__V1__LIST_SUGGESTIONS_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.page_size = page_size;
    request.page_token = token;
    assert_ok(stage_call(stage, 0, "ListSuggestions", false, &request.base, &reply));
    return (Matching__V1__ListSuggestionsReply *)reply;
}

static void
lists_come_in_pages_best_first_and_to_each_what_is_theirs(void **state)
{
    struct stage *stage = *state;
    const Matching__V1__ListSuggestionsReply *first, *second;

    (void)suggest(stage);
    first = list(stage, 1, "");
    assert_int_equal(first->n_matches, 1);
    assert_true(*first->next_page_token);
    second = list(stage, 1, first->next_page_token);
    assert_int_equal(second->n_matches, 1);
    assert_string_equal(second->next_page_token, "");
    assert_true(first->matches[0]->score_thousandths >= second->matches[0]->score_thousandths);
    assert_string_not_equal(first->matches[0]->id, second->matches[0]->id);

    stage->test.roles[0] = WIRE__V1__ROLE__GRADUATE;
    assert_int_equal(list(stage, 0, "")->n_matches, 0);
    stage->test.principal.person_id = STAGE_RESEARCHER;
    assert_int_equal(list(stage, 0, "")->n_matches, 1);
    stage->test.roles[0] = WIRE__V1__ROLE__COMPANY_CONTACT;
    stage->test.principal.organisation_id = STAGE_UNIVERSITY;
    assert_int_equal(list(stage, 0, "")->n_matches, 0);
    stage->test.principal.organisation_id = STAGE_COMPANY;
    assert_int_equal(list(stage, 0, "")->n_matches, 2);
}

static void
nonsense_is_refused_by_the_name_of_its_field(void **state)
{
    struct stage *stage = *state;
    Matching__V1__SuggestMatchesRequest request = MATCHING__V1__SUGGEST_MATCHES_REQUEST__INIT;
    Matching__V1__ProfileRef subject = MATCHING__V1__PROFILE_REF__INIT;
    Matching__V1__ProfileKind wanted = MATCHING__V1__PROFILE_KIND__PLACEMENT;
    ProtobufCMessage *reply;
    struct status status;

#define REFUSED(name)                                                                          \
    status = stage_call(stage, 0, "SuggestMatches", true, &request.base, &reply);              \
    assert_code(status, INVALID_ARGUMENT);                                                     \
    assert_string_equal(status.field, name)

    REFUSED("subject");
    request.subject = &subject;
    REFUSED("subject.kind");
    subject.kind = MATCHING__V1__PROFILE_KIND__NEED;
    REFUSED("subject.id");
    subject.id = STAGE_NEED;
    request.limit = 101;
    REFUSED("limit");
    request.limit = 0;
    request.nuts = "se3";
    REFUSED("nuts");
    request.nuts = "";
    request.wanted = &wanted;
    request.n_wanted = 1;
    REFUSED("wanted[0]");
}

int
main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(what_was_shown_is_remembered_and_nobody_is_told),
        STAGE_TEST(a_match_is_told_in_the_language_asked_for_and_adds_up),
        STAGE_TEST(a_coach_is_accepted_once_and_it_is_announced),
        STAGE_TEST(declining_takes_a_reason_and_the_note_stays_with_the_officers),
        STAGE_TEST(another_tenant_sees_a_private_match_as_one_that_does_not_exist),
        STAGE_TEST(the_other_side_sees_a_public_match_it_was_told_of_but_does_not_decide_it),
        STAGE_TEST(lists_come_in_pages_best_first_and_to_each_what_is_theirs),
        STAGE_TEST(nonsense_is_refused_by_the_name_of_its_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
