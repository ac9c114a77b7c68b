#include "services/registry/needs/needs.h"

#include "registry/v1/needs.pb-c.h"
#include "registry/v1/profiles.pb-c.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/room_test.h"
#include "services/registry/tenants/tenants.h"

#define CONTACT WIRE__V1__ROLE__COMPANY_CONTACT
#define PRIVATE REGISTRY__V1__VISIBILITY__PRIVATE
#define SHARED REGISTRY__V1__VISIBILITY__SHARED
#define PUBLIC REGISTRY__V1__VISIBILITY__PUBLIC

static struct stage stage;

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {needs_statements, concepts_statements,
                                                       organisations_statements,
                                                       tenants_statements, NULL};

    (void)state;
    stage_open(&stage, rooms);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

static Registry__V1__Skill skill;
static Registry__V1__Skill *skills[] = {&skill};
static Registry__V1__LocalText text;
static Registry__V1__LocalText *texts[] = {&text};
static Registry__V1__FocusArea focus[] = {REGISTRY__V1__FOCUS_AREA__ENERGY_EFFICIENCY};
static Registry__V1__Theme themes[] = {REGISTRY__V1__THEME__ENERGY_TRANSITION};

static Registry__V1__CreateNeedRequest
energy(bool publish, Registry__V1__Visibility visibility)
{
    static const char *tenants[] = {TENANT_B};
    Registry__V1__CreateNeedRequest request = REGISTRY__V1__CREATE_NEED_REQUEST__INIT;

    registry__v1__skill__init(&skill);
    registry__v1__local_text__init(&text);
    skill.concept_id = CONCEPT_1;
    text.lang = "sv";
    text.value = "Sänka energianvändningen i en produktionslinje";
    request.organisation_id = COMPANY_A;
    request.text = texts;
    request.n_text = 1;
    request.skills = skills;
    request.n_skills = 1;
    request.focus = focus;
    request.n_focus = 1;
    request.themes = themes;
    request.n_themes = 1;
    request.publish = publish;
    request.visibility = visibility;
    if (visibility == SHARED) {
        request.shared_with = tenants;
        request.n_shared_with = 1;
    }
    return request;
}

static struct status
create(const Registry__V1__CreateNeedRequest *request, Registry__V1__Need **ret)
{
    Registry__V1__CreateNeedReply *reply;

    TRY(stage_call(&stage, needs_service, "CreateNeed", request, &reply));
    *ret = reply->need;
    return OK;
}

static Registry__V1__Need *
created(bool publish, Registry__V1__Visibility visibility)
{
    const Registry__V1__CreateNeedRequest request = energy(publish, visibility);
    Registry__V1__Need *made = NULL;

    assert_ok(create(&request, &made));
    return made;
}

static struct status
get(const char *id, Registry__V1__Need **ret)
{
    Registry__V1__GetNeedRequest request = REGISTRY__V1__GET_NEED_REQUEST__INIT;
    Registry__V1__GetNeedReply *reply;

    request.need_id = id;
    TRY(stage_call(&stage, needs_service, "GetNeed", &request, &reply));
    *ret = reply->need;
    return OK;
}

static struct status
publish(const char *id, uint64_t version, Registry__V1__Need **ret)
{
    Registry__V1__PublishNeedRequest request = REGISTRY__V1__PUBLISH_NEED_REQUEST__INIT;
    Registry__V1__PublishNeedReply *reply;

    request.need_id = id;
    request.expected_version = version;
    TRY(stage_call(&stage, needs_service, "PublishNeed", &request, &reply));
    *ret = reply->need;
    return OK;
}

static struct status
close_it(const char *id, uint64_t version, bool fulfilled, Registry__V1__Need **ret)
{
    Registry__V1__CloseNeedRequest request = REGISTRY__V1__CLOSE_NEED_REQUEST__INIT;
    Registry__V1__CloseNeedReply *reply;

    request.need_id = id;
    request.expected_version = version;
    request.fulfilled = fulfilled;
    TRY(stage_call(&stage, needs_service, "CloseNeed", &request, &reply));
    *ret = reply->need;
    return OK;
}

static struct status
update(const char *id, uint64_t version, const char *field, const char *value,
       Registry__V1__Need **ret)
{
    const char *fields[] = {field};
    Registry__V1__UpdateNeedRequest request = REGISTRY__V1__UPDATE_NEED_REQUEST__INIT;
    Registry__V1__UpdateNeedReply *reply;

    request.need_id = id;
    request.expected_version = version;
    request.update_fields = fields;
    request.n_update_fields = 1;
    request.nuts = request.valid_until = value;
    TRY(stage_call(&stage, needs_service, "UpdateNeed", &request, &reply));
    *ret = reply->need;
    return OK;
}

static Registry__V1__ListNeedsReply *
list(uint32_t size, const char *token)
{
    Registry__V1__ListNeedsRequest request = REGISTRY__V1__LIST_NEEDS_REQUEST__INIT;
    Registry__V1__ListNeedsReply *reply;

    request.page_size = size;
    request.page_token = token;
    assert_ok(stage_call(&stage, needs_service, "ListNeeds", &request, &reply));
    return reply;
}

static void
a_draft_comes_back_whole_and_nobody_hears_of_it(void **state)
{
    Registry__V1__Need *made, *found;

    (void)state;
    made = created(false, PRIVATE);
    assert_int_equal(stage.rpc.event_count, 0);
    stage.rpc.call.lang = LANG_SV;
    assert_ok(get(made->need_id, &found));
    assert_int_equal(found->state, REGISTRY__V1__NEED_STATE__NEED_DRAFT);
    assert_string_equal(found->organisation_id, COMPANY_A);
    assert_string_equal(found->nuts, "SE312");
    assert_string_equal(found->valid_until, "");
    assert_int_equal(found->focus[0], REGISTRY__V1__FOCUS_AREA__ENERGY_EFFICIENCY);
    assert_int_equal(found->themes[0], REGISTRY__V1__THEME__ENERGY_TRANSITION);
    assert_int_equal(found->skills[0]->weight, 1000);
    assert_string_equal(found->skills[0]->label, "energiledning");
    assert_string_equal(found->text[0]->value, text.value);
    assert_true(found->created_unix_ms > 0);
}

static void
a_need_published_at_once_is_announced_with_its_filter_keys(void **state)
{
    const struct outbox_event *event = &stage.rpc.events[0];
    const Registry__V1__Need *made;

    (void)state;
    made = created(true, PUBLIC);
    assert_int_equal(made->state, REGISTRY__V1__NEED_STATE__NEED_PUBLISHED);
    assert_string_equal(made->valid_until, "2026-06-30"); /* 180 days from new year's day */
    assert_int_equal(stage.rpc.event_count, 2);
    assert_string_equal(stage_event(&stage, 0), "NeedPublished");
    assert_string_equal(event->subject, made->need_id);
    assert_string_equal(event->audience, "public");
    assert_string_equal(event->nuts, "SE312");
    assert_string_equal(event->nace, "49.41");
    assert_string_equal(event->organisation_type, "company");
    assert_string_equal(event->esco, CONCEPT_1);
    assert_string_equal(stage_event(&stage, 1), "ProfilesChanged");
}

static void
the_audience_follows_the_visibility(void **state)
{
    (void)state;
    (void)created(true, PRIVATE);
    assert_null(stage.rpc.events[0].audience);
    (void)created(true, SHARED);
    assert_string_equal(stage.rpc.events[0].audience, TENANT_B);
}

static void
what_a_need_refers_to_must_exist(void **state)
{
    Registry__V1__CreateNeedRequest request = energy(true, PUBLIC);
    Registry__V1__Need *made;

    (void)state;
    request.organisation_id = NOBODYS;
    assert_field(create(&request, &made), FAILED_PRECONDITION, "organisation_id");
    request.organisation_id = COMPANY_A;
    skill.concept_id = NOBODYS;
    assert_field(create(&request, &made), FAILED_PRECONDITION, "skills[0].concept_id");
    skill.concept_id = CONCEPT_1;
    request.valid_until = "2025-12-31";
    assert_field(create(&request, &made), INVALID_ARGUMENT, "valid_until");
    assert_int_equal(test_number("SELECT count(*) FROM registry.need"), 0);
}

static void
a_need_is_published_changed_and_fulfilled(void **state)
{
    Registry__V1__Need *made;

    (void)state;
    made = created(false, PUBLIC);
    assert_code(close_it(made->need_id, 1, true, &made), FAILED_PRECONDITION);
    assert_ok(publish(made->need_id, 1, &made));
    assert_string_equal(stage_event(&stage, 0), "NeedPublished");
    assert_code(publish(made->need_id, 2, &made), FAILED_PRECONDITION);
    assert_code(update(made->need_id, 1, "nuts", "SE313", &made), VERSION_MISMATCH);
    assert_ok(update(made->need_id, 2, "nuts", "SE313", &made));
    assert_int_equal(stage.rpc.event_count, 1);
    assert_string_equal(stage_event(&stage, 0), "ProfilesChanged");
    assert_ok(update(made->need_id, 3, "valid_until", "", &made));
    assert_string_equal(made->valid_until, "2026-06-30");
    assert_field(update(made->need_id, 4, "state", "", &made), INVALID_ARGUMENT,
                 "update_fields[0]");
    assert_ok(close_it(made->need_id, 4, true, &made));
    assert_string_equal(stage_event(&stage, 0), "NeedFulfilled");
    assert_string_equal(stage_event(&stage, 1), "ProfilesWithdrawn");
    assert_code(update(made->need_id, 5, "nuts", "SE313", &made), FAILED_PRECONDITION);
}

static void
a_withdrawn_need_is_told_to_matching_alone(void **state)
{
    Registry__V1__Need *made;

    (void)state;
    made = created(true, PUBLIC);
    assert_ok(close_it(made->need_id, 1, false, &made));
    assert_int_equal(made->state, REGISTRY__V1__NEED_STATE__NEED_WITHDRAWN);
    assert_int_equal(stage.rpc.event_count, 1);
    assert_string_equal(stage_event(&stage, 0), "ProfilesWithdrawn");
}

static void
a_company_contact_acts_for_the_own_organisation(void **state)
{
    Registry__V1__CreateNeedRequest request;
    Registry__V1__Need *theirs, *made;

    (void)state;
    theirs = created(true, PRIVATE);
    stage_act(&stage, CONTACT, TENANT_A);
    request = energy(true, PRIVATE);
    assert_code(create(&request, &made), PERMISSION_DENIED); /* speaks for nobody */
    stage.rpc.principal.organisation_id = COMPANY_B;
    assert_code(create(&request, &made), PERMISSION_DENIED);
    assert_code(get(theirs->need_id, &made), NOT_FOUND);
    assert_code(close_it(theirs->need_id, 1, true, &made), NOT_FOUND);
    request.organisation_id = COMPANY_B;
    assert_ok(create(&request, &made));
    assert_int_equal(list(0, "")->n_needs, 1);
    assert_ok(close_it(made->need_id, 1, true, &made));
    stage_sql("UPDATE registry.need SET visibility = 3");
    assert_int_equal(list(0, "")->n_needs, 2);
    assert_ok(get(theirs->need_id, &made));
    assert_code(close_it(theirs->need_id, 1, true, &made), PERMISSION_DENIED);
}

static void
another_tenant_sees_what_is_shared_and_changes_nothing(void **state)
{
    Registry__V1__Need *draft, *secret, *shared, *found;

    (void)state;
    draft = created(false, PUBLIC);
    secret = created(true, PRIVATE);
    shared = created(true, SHARED);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(get(draft->need_id, &found), NOT_FOUND);
    assert_code(get(secret->need_id, &found), NOT_FOUND);
    assert_code(publish(draft->need_id, 1, &found), NOT_FOUND);
    assert_ok(get(shared->need_id, &found));
    assert_int_equal(found->n_shared_with, 0);
    assert_int_equal(list(0, "")->n_needs, 1);
    assert_code(close_it(shared->need_id, 1, true, &found), PERMISSION_DENIED);
    assert_code(update(shared->need_id, 1, "nuts", "SE1", &found), PERMISSION_DENIED);
}

static void
an_analyst_sees_no_drafts(void **state)
{
    Registry__V1__Need *draft, *found;

    (void)state;
    draft = created(false, PRIVATE);
    (void)created(true, PRIVATE);
    stage_act(&stage, WIRE__V1__ROLE__REGION_ANALYST, TENANT_A);
    assert_code(get(draft->need_id, &found), NOT_FOUND);
    assert_int_equal(list(0, "")->n_needs, 1);
}

static void
the_newest_stand_first_and_pages_have_no_gaps(void **state)
{
    const char *ids[5];
    const char *token = "";
    size_t seen = COUNT_OF(ids);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = created(false, PRIVATE)->need_id;
        test_clock_advance_ms(&stage.rpc.times, 5);
    }
    do {
        const Registry__V1__ListNeedsReply *page = list(2, token);

        for (size_t i = 0; i < page->n_needs; i++)
            assert_string_equal(page->needs[i]->need_id, ids[--seen]);
        token = page->next_page_token;
    } while (*token);
    assert_int_equal(seen, 0);
}

/* Runs the timer's job as the frame does. */
static struct status
expire(void)
{
    struct call call = stage.rpc.call;

    call.clock = &stage.rpc.clock;
    call.deadline = in_ms(TEST_MS);
    call.tx = NULL;
    call.tenant_id = "";
    stage.rpc.event_count = 0;
    return needs_expire(&call);
}

static void
a_need_ends_after_its_last_day_in_its_own_tenant(void **state)
{
    Registry__V1__Need *first, *second;

    (void)state;
    first = created(true, PUBLIC);
    (void)created(false, PUBLIC);
    stage_act(&stage, OFFICER, TENANT_B);
    second = created(true, SHARED);
    test_clock_advance_ms(&stage.rpc.times, (int64_t)180 * 86400000); /* the last day */
    assert_ok(expire());
    assert_int_equal(stage.rpc.event_count, 0);
    test_clock_advance_ms(&stage.rpc.times, 86400000);
    assert_ok(expire());
    assert_int_equal(stage.rpc.event_count, 4);
    assert_string_equal(stage_event(&stage, 0), "NeedExpired");
    assert_string_equal(stage.rpc.events[0].subject, first->need_id);
    assert_string_equal(stage.rpc.events[0].audience, "public");
    assert_string_equal(stage_event(&stage, 1), "ProfilesWithdrawn");
    assert_string_equal(stage.rpc.events[2].subject, second->need_id);
    assert_string_equal(stage.rpc.events[2].audience, TENANT_B);
    assert_int_equal(test_number("SELECT count(*) FROM registry.need WHERE state = 4 AND "
                                 "version = 2"),
                     2);
    assert_ok(expire()); /* once */
    assert_int_equal(stage.rpc.event_count, 0);
}

static void
more_than_one_batch_ends_in_one_run(void **state)
{
    (void)state;
    (void)created(true, PUBLIC);
    stage_sql("INSERT INTO registry.need (tenant_id, id, organisation_id, text_langs, "
              "text_values, text_translated, valid_until, visibility, state) SELECT '" TENANT_A
              "', gen_random_uuid(), '" COMPANY_A
              "', '{sv}', '{x}', '{f}', '2025-01-01', 1, 2 FROM generate_series(1, 59)");
    stage_sql("UPDATE registry.need SET valid_until = '2025-01-01'");
    assert_ok(expire());
    assert_int_equal(test_number("SELECT count(*) FROM registry.need WHERE state = 4"), 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_draft_comes_back_whole_and_nobody_hears_of_it),
        TEST(a_need_published_at_once_is_announced_with_its_filter_keys),
        TEST(the_audience_follows_the_visibility),
        TEST(what_a_need_refers_to_must_exist),
        TEST(a_need_is_published_changed_and_fulfilled),
        TEST(a_withdrawn_need_is_told_to_matching_alone),
        TEST(a_company_contact_acts_for_the_own_organisation),
        TEST(another_tenant_sees_what_is_shared_and_changes_nothing),
        TEST(an_analyst_sees_no_drafts),
        TEST(the_newest_stand_first_and_pages_have_no_gaps),
        TEST(a_need_ends_after_its_last_day_in_its_own_tenant),
        TEST(more_than_one_batch_ends_in_one_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
