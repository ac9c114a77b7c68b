/* Saved searches on a real Postgres, heard by two instances. */

#include "matching/v1/searches.pb-c.h"
#include "services/matching/searches/rules.h"
#include "services/matching/searches/searches.h"
#include "services/matching/test_stage.h"

#define HIT "org.samverka.search.hit.v1"

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

/* What seeks people who do energy efficiency around SE312. */
struct wish {
    Matching__V1__SaveSearchRequest request;
    Matching__V1__SearchTerms terms;
    const char *required[6], *optional[9], *nuts[17], *languages[9];
    Matching__V1__ProfileKind kinds[6];
};

static void
wish(struct wish *wish)
{
    memset(wish, 0, sizeof *wish);
    matching__v1__save_search_request__init(&wish->request);
    matching__v1__search_terms__init(&wish->terms);
    wish->request.name = "energi i Dalarna";
    wish->request.terms = &wish->terms;
    wish->required[0] = STAGE_ENERGY;
    wish->terms.required_concept_ids = wish->required;
    wish->terms.n_required_concept_ids = 1;
    wish->terms.optional_concept_ids = wish->optional;
    wish->nuts[0] = "SE3";
    wish->terms.nuts = wish->nuts;
    wish->terms.n_nuts = 1;
    wish->terms.languages = wish->languages;
    wish->kinds[0] = MATCHING__V1__PROFILE_KIND__PERSON;
    wish->terms.kinds = wish->kinds;
    wish->terms.n_kinds = 1;
}

static const char *
save(struct stage *stage, const struct wish *wish)
{
    ProtobufCMessage *reply;

    assert_ok(stage_call_of(stage, searches_service, 0, "SaveSearch", true, &wish->request.base,
                            &reply));
    return ((Matching__V1__SaveSearchReply *)reply)->search->search_id;
}

static struct status
get(struct stage *stage, const char *id, Matching__V1__GetSearchReply **ret)
{
    Matching__V1__GetSearchRequest request = MATCHING__V1__GET_SEARCH_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    struct status status;

    request.search_id = id;
    status =
        stage_call_of(stage, searches_service, 0, "GetSearch", false, &request.base, &reply);
    *ret = (Matching__V1__GetSearchReply *)reply;
    return status;
}

static struct status
remove_one(struct stage *stage, const char *id)
{
    Matching__V1__RemoveSearchRequest request = MATCHING__V1__REMOVE_SEARCH_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.search_id = id;
    return stage_call_of(stage, searches_service, 0, "RemoveSearch", true, &request.base,
                         &reply);
}

static void
saved(struct stage *stage, unsigned instance, uint64_t position, const char *id)
{
    Matching__V1__SearchSaved event = MATCHING__V1__SEARCH_SAVED__INIT;

    event.search_id = id;
    stage_hear(stage, instance, position, "SearchSaved", &event.base);
}

static void
two_instances_tell_once_of_a_new_profile_and_never_again(void **state)
{
    struct stage *stage = *state;
    Matching__V1__GetSearchReply *reply;
    struct wish want;
    const char *id;

    (void)stage_start(stage, 0);
    (void)stage_start(stage, 1);
    wish(&want);
    id = save(stage, &want);
    assert_int_equal(stage_announced("org.samverka.search.saved.v1"), 1);
    for (unsigned i = 0; i < STAGE_INSTANCES; i++)
        saved(stage, i, 1, id);
    stage_publish_hidden();
    for (unsigned i = 0; i < STAGE_INSTANCES; i++)
        stage_changed(stage, i, 2, "person", STAGE_HIDDEN);
    assert_int_equal(stage_announced(HIT), 1);
    for (unsigned i = 0; i < STAGE_INSTANCES; i++)
        stage_changed(stage, i, 3, "person", STAGE_HIDDEN);
    assert_int_equal(stage_announced(HIT), 1);
    assert_ok(get(stage, id, &reply));
    assert_int_equal(reply->n_hits, 1);
    assert_string_equal(reply->hits[0]->profile->id, STAGE_HIDDEN);
    assert_string_equal(reply->hits[0]->tenant_id, TENANT_A);
    assert_int_equal(reply->hits[0]->position, 2);
    assert_string_equal(reply->search->terms->nuts[0], "SE3");
    assert_string_equal(reply->search->terms->required_concept_ids[0], STAGE_ENERGY);
}

static void
what_stood_when_an_instance_started_is_told_of_too(void **state)
{
    struct stage *stage = *state;
    struct wish want;

    wish(&want);
    (void)save(stage, &want);
    (void)stage_start(stage, 0);
    stage_changed(stage, 0, 1, "person", STAGE_RESEARCHER);
    assert_int_equal(stage_announced(HIT), 1);
}

/* The researcher is private to tenant A, the Finn public, the welder welds. */
static void
only_profiles_that_the_tenant_may_see_and_that_fit_are_told(void **state)
{
    struct stage *stage = *state;
    struct wish want;

    stage->test.principal.tenant_id = TENANT_B;
    wish(&want);
    (void)save(stage, &want);
    (void)stage_start(stage, 0);
    stage_changed(stage, 0, 1, "person", STAGE_RESEARCHER);
    stage_changed(stage, 0, 2, "person", STAGE_WELDER);
    assert_int_equal(stage_announced(HIT), 0);
    stage_changed(stage, 0, 3, "person", STAGE_FINN);
    stage_changed(stage, 0, 4, "person", STAGE_FOREIGN); /* its own private one */
    assert_int_equal(stage_announced(HIT), 2);
}

static void
a_removed_search_is_told_nothing_even_before_its_removal_is_heard(void **state)
{
    struct stage *stage = *state;
    struct wish want;
    const char *id;

    wish(&want);
    id = save(stage, &want);
    (void)stage_start(stage, 0);
    assert_ok(remove_one(stage, id));
    assert_int_equal(stage_announced("org.samverka.search.removed.v1"), 1);
    stage_changed(stage, 0, 1, "person", STAGE_RESEARCHER);
    assert_int_equal(stage_announced(HIT), 0);
    assert_int_equal(test_number("SELECT count(*) FROM matching.search_hit"), 0);
    assert_code(remove_one(stage, id), NOT_FOUND);
}

/* Concepts above count: energy efficiency is part of energy. */
static void
a_concept_is_met_by_what_is_beneath_it_and_a_new_vocabulary_is_read(void **state)
{
    struct stage *stage = *state;
    struct wish want;

    wish(&want);
    want.required[0] = "0193a000-0000-7000-8ccc-0000000000aa"; /* not there yet */
    (void)save(stage, &want);
    want.required[0] = STAGE_AREA;
    (void)save(stage, &want);
    (void)stage_start(stage, 0);
    stage_changed(stage, 0, 1, "person", STAGE_RESEARCHER);
    assert_int_equal(stage_announced(HIT), 1);
    stage_sql("UPDATE stage.concepts SET broader = '{0193a000-0000-7000-8ccc-0000000000aa}' "
              "WHERE id = '" STAGE_AREA "'");
    stage_sql(
        "INSERT INTO stage.concepts (id, uri, broader, label_sv, label_fi, label_en, "
        "alt_sv, alt_fi, alt_en) VALUES ('0193a000-0000-7000-8ccc-0000000000aa', 'urn:9', "
        "'{}', 'allt', 'kaikki', 'all', '{}', '{}', '{}')");
    stage_head = 2;
    stage_concepts_changed(stage, 0, 2);
    stage_changed(stage, 0, 3, "person", STAGE_RESEARCHER);
    assert_int_equal(stage_announced(HIT), 2);
}

static void
another_account_and_another_tenant_learn_nothing_of_a_search(void **state)
{
    struct stage *stage = *state;
    Matching__V1__GetSearchReply *reply;
    struct wish want;
    const char *id;

    wish(&want);
    id = save(stage, &want);
    stage->test.principal.tenant_id = TENANT_B;
    assert_code(get(stage, id, &reply), NOT_FOUND);
    assert_code(remove_one(stage, id), NOT_FOUND);
    stage->test.principal.tenant_id = TENANT_A;
    stage->test.principal.subject_id = STAGE_NOBODY;
    assert_code(get(stage, id, &reply), NOT_FOUND);
    assert_code(remove_one(stage, id), NOT_FOUND);
}

static void
an_account_saves_a_hundred_searches(void **state)
{
    struct stage *stage = *state;
    Matching__V1__ListSearchesRequest request = MATCHING__V1__LIST_SEARCHES_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct wish want;

    wish(&want);
    for (int i = 0; i < SEARCHES_OF_ACCOUNT_MAX; i++)
        (void)save(stage, &want);
    assert_code(stage_call_of(stage, searches_service, 0, "SaveSearch", true,
                              &want.request.base, &reply),
                RESOURCE_EXHAUSTED);
    assert_ok(stage_call_of(stage, searches_service, 0, "ListSearches", false, &request.base,
                            &reply));
    assert_int_equal(((Matching__V1__ListSearchesReply *)reply)->n_searches,
                     SEARCHES_OF_ACCOUNT_MAX);
    assert_code(rules_search_room(&stage->test.arena, 0, SEARCHES_OF_TENANT_MAX),
                RESOURCE_EXHAUSTED);
    assert_ok(rules_search_room(&stage->test.arena, SEARCHES_OF_ACCOUNT_MAX - 1,
                                SEARCHES_OF_TENANT_MAX - 1));
}

static void
assert_refused(struct stage *stage, const struct wish *want, const char *field)
{
    const struct status status = rules_search(&stage->test.arena, &want->request);

    assert_code(status, INVALID_ARGUMENT);
    assert_non_null(status.detail);
    assert_string_equal(status.field, field);
}

static void
what_is_wrong_with_a_search_is_said_by_field(void **state)
{
    struct stage *stage = *state;
    struct wish want;

#define REFUSED(change, field)                                                                 \
    do {                                                                                       \
        wish(&want);                                                                           \
        change;                                                                                \
        assert_refused(stage, &want, field);                                                   \
    } while (0)

    wish(&want);
    assert_ok(rules_search(&stage->test.arena, &want.request));
    REFUSED(want.request.name = "", "name");
    REFUSED(want.request.terms = NULL, "terms");
    REFUSED(want.required[0] = "x", "terms.required_concept_ids[0]");
    REFUSED((want.required[1] = STAGE_ENERGY, want.terms.n_required_concept_ids = 2),
            "terms.required_concept_ids[1]");
    REFUSED(want.terms.n_required_concept_ids = 6, "terms.required_concept_ids");
    REFUSED(want.terms.n_required_concept_ids = 0, "terms.required_concept_ids");
    REFUSED(want.terms.n_optional_concept_ids = 9, "terms.optional_concept_ids");
    REFUSED(want.terms.optional_least = 1, "terms.optional_least");
    REFUSED(want.kinds[0] = 6, "terms.kinds[0]");
    REFUSED(want.terms.n_kinds = 6, "terms.kinds");
    REFUSED(want.nuts[0] = "se3", "terms.nuts[0]");
    REFUSED(want.terms.n_nuts = 17, "terms.nuts");
    REFUSED((want.languages[0] = "SV", want.terms.n_languages = 1), "terms.languages[0]");
    REFUSED(want.terms.n_languages = 9, "terms.languages");
    REFUSED(want.terms.available_by = "2026-02-30", "terms.available_by");
    REFUSED(want.terms.available_by = "1969-12-31", "terms.available_by");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(two_instances_tell_once_of_a_new_profile_and_never_again),
        CASE(what_stood_when_an_instance_started_is_told_of_too),
        CASE(only_profiles_that_the_tenant_may_see_and_that_fit_are_told),
        CASE(a_removed_search_is_told_nothing_even_before_its_removal_is_heard),
        CASE(a_concept_is_met_by_what_is_beneath_it_and_a_new_vocabulary_is_read),
        CASE(another_account_and_another_tenant_learn_nothing_of_a_search),
        CASE(an_account_saves_a_hundred_searches),
        CASE(what_is_wrong_with_a_search_is_said_by_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
