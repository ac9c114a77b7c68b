#include "services/registry/capabilities/capabilities.h"

#include "registry/v1/capabilities.pb-c.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/room_test.h"

#define CONTACT WIRE__V1__ROLE__COMPANY_CONTACT
#define PRIVATE REGISTRY__V1__VISIBILITY__PRIVATE
#define PUBLIC REGISTRY__V1__VISIBILITY__PUBLIC

static struct stage stage;

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {
        capabilities_statements, concepts_statements, organisations_statements, NULL};

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
static Registry__V1__LocalText text, benefit;
static Registry__V1__LocalText *texts[] = {&text}, *benefits[] = {&benefit};
static Registry__V1__FocusArea focus[] = {REGISTRY__V1__FOCUS_AREA__PROCESS};
static Registry__V1__Theme themes[] = {REGISTRY__V1__THEME__MANUFACTURING};

static Registry__V1__CreateCapabilityRequest
welding(Registry__V1__Visibility visibility)
{
    Registry__V1__CreateCapabilityRequest request =
        REGISTRY__V1__CREATE_CAPABILITY_REQUEST__INIT;

    registry__v1__skill__init(&skill);
    registry__v1__local_text__init(&text);
    registry__v1__local_text__init(&benefit);
    skill.concept_id = CONCEPT_2;
    text.lang = benefit.lang = "en";
    text.value = "Laser welding";
    benefit.value = "Less heat";
    request.organisation_id = COMPANY_A;
    request.kind = REGISTRY__V1__CAPABILITY_KIND__TECHNOLOGY;
    request.text = texts;
    request.n_text = 1;
    request.benefit = benefits;
    request.n_benefit = 1;
    request.trl = 6;
    request.skills = skills;
    request.n_skills = 1;
    request.focus = focus;
    request.n_focus = 1;
    request.themes = themes;
    request.n_themes = 1;
    request.visibility = visibility;
    return request;
}

static struct status
create(const Registry__V1__CreateCapabilityRequest *request, Registry__V1__Capability **ret)
{
    Registry__V1__CreateCapabilityReply *reply;

    TRY(stage_call(&stage, capabilities_service, "CreateCapability", request, &reply));
    *ret = reply->capability;
    return OK;
}

static Registry__V1__Capability *
created(Registry__V1__Visibility visibility)
{
    const Registry__V1__CreateCapabilityRequest request = welding(visibility);
    Registry__V1__Capability *made = NULL;

    assert_ok(create(&request, &made));
    test_clock_advance_ms(&stage.rpc.times, 5);
    return made;
}

static struct status
get(const char *id, Registry__V1__Capability **ret)
{
    Registry__V1__GetCapabilityRequest request = REGISTRY__V1__GET_CAPABILITY_REQUEST__INIT;
    Registry__V1__GetCapabilityReply *reply;

    request.capability_id = id;
    TRY(stage_call(&stage, capabilities_service, "GetCapability", &request, &reply));
    *ret = reply->capability;
    return OK;
}

static struct status
withdraw(const char *id, uint64_t version)
{
    Registry__V1__WithdrawCapabilityRequest request =
        REGISTRY__V1__WITHDRAW_CAPABILITY_REQUEST__INIT;
    Registry__V1__WithdrawCapabilityReply *reply;

    request.capability_id = id;
    request.expected_version = version;
    return stage_call(&stage, capabilities_service, "WithdrawCapability", &request, &reply);
}

static Registry__V1__ListCapabilitiesReply *
list(uint32_t size, const char *token)
{
    Registry__V1__ListCapabilitiesRequest request =
        REGISTRY__V1__LIST_CAPABILITIES_REQUEST__INIT;
    Registry__V1__ListCapabilitiesReply *reply;

    request.page_size = size;
    request.page_token = token;
    assert_ok(stage_call(&stage, capabilities_service, "ListCapabilities", &request, &reply));
    return reply;
}

static void
a_capability_is_announced_and_comes_back_whole(void **state)
{
    Registry__V1__Capability *made, *found;

    (void)state;
    made = created(PUBLIC);
    assert_int_equal(stage.rpc.event_count, 2);
    assert_string_equal(stage_event(&stage, 0), "CapabilityPublished");
    assert_string_equal(stage.rpc.events[0].audience, "public");
    assert_string_equal(stage.rpc.events[0].nuts, "SE312");
    assert_string_equal(stage_event(&stage, 1), "ProfilesChanged");
    assert_ok(get(made->capability_id, &found));
    assert_int_equal(found->trl, 6);
    assert_string_equal(found->benefit[0]->value, "Less heat");
    assert_string_equal(found->skills[0]->label, "welding");
    assert_int_equal(found->focus[0], REGISTRY__V1__FOCUS_AREA__PROCESS);
    assert_int_equal(found->themes[0], REGISTRY__V1__THEME__MANUFACTURING);
    assert_string_equal(found->nuts, "SE312");
}

static void
what_a_capability_refers_to_must_exist(void **state)
{
    Registry__V1__CreateCapabilityRequest request = welding(PUBLIC);
    Registry__V1__Capability *made;

    (void)state;
    request.organisation_id = NOBODYS;
    assert_field(create(&request, &made), FAILED_PRECONDITION, "organisation_id");
    request.organisation_id = COMPANY_A;
    skill.concept_id = NOBODYS;
    assert_field(create(&request, &made), FAILED_PRECONDITION, "skills[0].concept_id");
}

static void
a_withdrawn_one_leaves_the_lists_and_matching(void **state)
{
    Registry__V1__Capability *made, *found;

    (void)state;
    made = created(PUBLIC);
    assert_code(withdraw(made->capability_id, 2), VERSION_MISMATCH);
    assert_ok(withdraw(made->capability_id, 1));
    assert_string_equal(stage_event(&stage, 0), "ProfilesWithdrawn");
    assert_int_equal(list(0, "")->n_capabilities, 0);
    assert_ok(get(made->capability_id, &found));
    assert_true(found->withdrawn);
    assert_code(withdraw(made->capability_id, 2), FAILED_PRECONDITION);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(get(made->capability_id, &found), NOT_FOUND);
}

static void
another_tenant_sees_what_is_public_and_changes_nothing(void **state)
{
    Registry__V1__Capability *secret, *open, *found;

    (void)state;
    secret = created(PRIVATE);
    assert_null(stage.rpc.events[0].audience);
    open = created(PUBLIC);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(get(secret->capability_id, &found), NOT_FOUND);
    assert_code(withdraw(secret->capability_id, 1), NOT_FOUND);
    assert_ok(get(open->capability_id, &found));
    assert_int_equal(list(0, "")->n_capabilities, 1);
    assert_code(withdraw(open->capability_id, 1), PERMISSION_DENIED);
}

static void
a_company_contact_acts_for_the_own_organisation(void **state)
{
    Registry__V1__CreateCapabilityRequest request;
    Registry__V1__Capability *theirs, *made;

    (void)state;
    theirs = created(PRIVATE);
    stage_act(&stage, CONTACT, TENANT_A);
    stage.rpc.principal.organisation_id = COMPANY_B;
    request = welding(PRIVATE);
    assert_code(create(&request, &made), PERMISSION_DENIED);
    request.organisation_id = COMPANY_B;
    assert_ok(create(&request, &made));
    assert_code(get(theirs->capability_id, &made), NOT_FOUND);
    assert_int_equal(list(0, "")->n_capabilities, 1);
}

static void
the_newest_stand_first_and_pages_have_no_gaps(void **state)
{
    const char *ids[3], *token = "";
    size_t seen = COUNT_OF(ids);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ids[i] = created(PRIVATE)->capability_id;
    do {
        const Registry__V1__ListCapabilitiesReply *page = list(2, token);

        for (size_t i = 0; i < page->n_capabilities; i++)
            assert_string_equal(page->capabilities[i]->capability_id, ids[--seen]);
        token = page->next_page_token;
    } while (*token);
    assert_int_equal(seen, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_capability_is_announced_and_comes_back_whole),
        TEST(what_a_capability_refers_to_must_exist),
        TEST(a_withdrawn_one_leaves_the_lists_and_matching),
        TEST(another_tenant_sees_what_is_public_and_changes_nothing),
        TEST(a_company_contact_acts_for_the_own_organisation),
        TEST(the_newest_stand_first_and_pages_have_no_gaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
