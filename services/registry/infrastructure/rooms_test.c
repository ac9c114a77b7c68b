#include "services/registry/infrastructure/infrastructure.h"

#include "registry/v1/infrastructure.pb-c.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/room_test.h"

#define PRIVATE REGISTRY__V1__VISIBILITY__PRIVATE
#define PUBLIC REGISTRY__V1__VISIBILITY__PUBLIC

static struct stage stage;

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {
        infrastructure_statements, concepts_statements, organisations_statements, NULL};

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
static Registry__V1__LocalText name, terms;
static Registry__V1__LocalText *names[] = {&name}, *access_terms[] = {&terms};

static struct status
enlist(const char *label, const char *organisation_id, Registry__V1__Visibility visibility,
       Registry__V1__Equipment **ret)
{
    Registry__V1__EnlistEquipmentRequest request = REGISTRY__V1__ENLIST_EQUIPMENT_REQUEST__INIT;
    Registry__V1__EnlistEquipmentReply *reply;

    registry__v1__skill__init(&skill);
    registry__v1__local_text__init(&name);
    registry__v1__local_text__init(&terms);
    skill.concept_id = CONCEPT_2;
    name.lang = terms.lang = "en";
    name.value = label;
    terms.value = "By agreement";
    request.organisation_id = organisation_id;
    request.type = REGISTRY__V1__EQUIPMENT_TYPE__EQUIPMENT;
    request.names = names;
    request.n_names = 1;
    request.access_terms = access_terms;
    request.n_access_terms = 1;
    request.manufacturer = "Zeiss";
    request.model = "Gemini";
    request.department = "Physics";
    request.hours_open_per_week = 40;
    request.skills = skills;
    request.n_skills = 1;
    request.visibility = visibility;
    TRY(stage_call(&stage, infrastructure_service, "EnlistEquipment", &request, &reply));
    *ret = reply->equipment;
    return OK;
}

static Registry__V1__Equipment *
enlisted(const char *label, Registry__V1__Visibility visibility)
{
    Registry__V1__Equipment *made = NULL;

    assert_ok(enlist(label, COMPANY_A, visibility, &made));
    return made;
}

static struct status
get(const char *id, Registry__V1__Equipment **ret)
{
    Registry__V1__GetEquipmentRequest request = REGISTRY__V1__GET_EQUIPMENT_REQUEST__INIT;
    Registry__V1__GetEquipmentReply *reply;

    request.equipment_id = id;
    TRY(stage_call(&stage, infrastructure_service, "GetEquipment", &request, &reply));
    *ret = reply->equipment;
    return OK;
}

static struct status
delist(const char *id, uint64_t version)
{
    Registry__V1__DelistEquipmentRequest request = REGISTRY__V1__DELIST_EQUIPMENT_REQUEST__INIT;
    Registry__V1__DelistEquipmentReply *reply;

    request.equipment_id = id;
    request.expected_version = version;
    return stage_call(&stage, infrastructure_service, "DelistEquipment", &request, &reply);
}

static Registry__V1__ListEquipmentReply *
list(uint32_t size, const char *token)
{
    Registry__V1__ListEquipmentRequest request = REGISTRY__V1__LIST_EQUIPMENT_REQUEST__INIT;
    Registry__V1__ListEquipmentReply *reply;

    request.page_size = size;
    request.page_token = token;
    assert_ok(stage_call(&stage, infrastructure_service, "ListEquipment", &request, &reply));
    return reply;
}

static void
equipment_is_announced_and_comes_back_whole(void **state)
{
    Registry__V1__Equipment *made, *found;

    (void)state;
    made = enlisted("Microscope", PUBLIC);
    assert_int_equal(stage.rpc.event_count, 2);
    assert_string_equal(stage_event(&stage, 0), "InfrastructureListed");
    assert_string_equal(stage.rpc.events[0].audience, "public");
    assert_string_equal(stage_event(&stage, 1), "ProfilesChanged");
    stage_act(&stage, WIRE__V1__ROLE__STUDENT, TENANT_A);
    assert_ok(get(made->equipment_id, &found));
    assert_string_equal(found->names[0]->value, "Microscope");
    assert_string_equal(found->manufacturer, "Zeiss");
    assert_string_equal(found->model, "Gemini");
    assert_string_equal(found->department, "Physics");
    assert_string_equal(found->access_terms[0]->value, "By agreement");
    assert_string_equal(found->nuts, "SE312");
    assert_string_equal(found->skills[0]->label, "welding");
    assert_int_equal(found->hours_open_per_week, 40);
}

static void
the_owner_must_exist(void **state)
{
    Registry__V1__Equipment *made;

    (void)state;
    assert_field(enlist("Microscope", NOBODYS, PUBLIC, &made), FAILED_PRECONDITION,
                 "organisation_id");
}

static void
delisted_equipment_leaves_the_lists_and_matching(void **state)
{
    Registry__V1__Equipment *made;

    (void)state;
    made = enlisted("Microscope", PUBLIC);
    assert_code(delist(made->equipment_id, 2), VERSION_MISMATCH);
    assert_ok(delist(made->equipment_id, 1));
    assert_string_equal(stage_event(&stage, 0), "ProfilesWithdrawn");
    assert_int_equal(list(0, "")->n_equipment, 0);
    assert_code(delist(made->equipment_id, 2), FAILED_PRECONDITION);
    assert_code(delist(NOBODYS, 1), NOT_FOUND);
}

static void
another_tenant_sees_what_is_public_and_changes_nothing(void **state)
{
    Registry__V1__Equipment *secret, *open, *found;

    (void)state;
    secret = enlisted("Secret", PRIVATE);
    open = enlisted("Open", PUBLIC);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(get(secret->equipment_id, &found), NOT_FOUND);
    assert_code(delist(secret->equipment_id, 1), NOT_FOUND);
    assert_ok(get(open->equipment_id, &found));
    assert_int_equal(list(0, "")->n_equipment, 1);
    assert_code(delist(open->equipment_id, 1), PERMISSION_DENIED);
}

static void
a_list_is_by_name_and_pages_have_no_gaps(void **state)
{
    static const char *const labels[] = {"lathe", "Oven", "Åland ferry", "anvil"};
    static const char *const order[] = {"anvil", "lathe", "Oven", "Åland ferry"};
    const char *token = "";
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(labels); i++)
        (void)enlisted(labels[i], PRIVATE);
    do {
        const Registry__V1__ListEquipmentReply *page = list(3, token);

        for (size_t i = 0; i < page->n_equipment; i++)
            assert_string_equal(page->equipment[i]->names[0]->value, order[seen++]);
        token = page->next_page_token;
    } while (*token);
    assert_int_equal(seen, COUNT_OF(order));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equipment_is_announced_and_comes_back_whole),
        TEST(the_owner_must_exist),
        TEST(delisted_equipment_leaves_the_lists_and_matching),
        TEST(another_tenant_sees_what_is_public_and_changes_nothing),
        TEST(a_list_is_by_name_and_pages_have_no_gaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
