#include "services/registry/systems/systems.h"

#include "registry/v1/systems.pb-c.h"
#include "services/registry/room_test.h"

#define KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static struct stage stage;

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {systems_statements, NULL};

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

static struct status
enrol(const char *name, const char *key, Registry__V1__EnrolSystemReply **ret)
{
    static const char *types[] = {"org.samverka.need."};
    Registry__V1__EnrolSystemRequest request = REGISTRY__V1__ENROL_SYSTEM_REQUEST__INIT;

    test_clock_advance_ms(&stage.rpc.times, 5);
    request.name = name;
    request.curve_public_key = key;
    request.types = types;
    request.n_types = 1;
    return stage_call(&stage, systems_service, "EnrolSystem", &request, ret);
}

static struct status
revoke(const char *id, uint64_t version)
{
    Registry__V1__RevokeSystemRequest request = REGISTRY__V1__REVOKE_SYSTEM_REQUEST__INIT;
    Registry__V1__RevokeSystemReply *reply;

    request.system_id = id;
    request.expected_version = version;
    return stage_call(&stage, systems_service, "RevokeSystem", &request, &reply);
}

static Registry__V1__ListSystemsReply *
list(const char *token)
{
    Registry__V1__ListSystemsRequest request = REGISTRY__V1__LIST_SYSTEMS_REQUEST__INIT;
    Registry__V1__ListSystemsReply *reply;

    request.page_size = 1;
    request.page_token = token;
    assert_ok(stage_call(&stage, systems_service, "ListSystems", &request, &reply));
    return reply;
}

static void
a_system_is_published_to_events_until_it_is_revoked(void **state)
{
    static const char published[] = "SELECT count(*) FROM registry.published_systems";
    Registry__V1__EnrolSystemReply *crm;

    (void)state;
    assert_ok(enrol("crm", KEY, &crm));
    assert_int_equal(test_number(published), 1);
    assert_code(revoke(crm->system->system_id, 2), VERSION_MISMATCH);
    assert_ok(revoke(crm->system->system_id, 1));
    assert_int_equal(test_number(published), 0);
    assert_true(list("")->systems[0]->revoked);
    assert_code(revoke(NOBODYS, 1), NOT_FOUND);
}

static void
a_system_for_public_events_alone_has_a_key_without_a_tenant_and_no_token(void **state)
{
    Registry__V1__EnrolSystemRequest request = REGISTRY__V1__ENROL_SYSTEM_REQUEST__INIT;
    Registry__V1__EnrolSystemReply *reply;

    (void)state;
    request.name = "samverka in lund";
    request.public_only = true;
    assert_field(stage_call(&stage, systems_service, "EnrolSystem", &request, &reply),
                 INVALID_ARGUMENT, "curve_public_key");
    request.curve_public_key = KEY;
    assert_ok(stage_call(&stage, systems_service, "EnrolSystem", &request, &reply));
    assert_string_equal(reply->bearer_token, "");
    assert_int_equal(
        test_number("SELECT count(*) FROM registry.published_systems WHERE tenant_ids = '{}'"),
        1);
    assert_true(list("")->systems[0]->public_only);
}

static void
a_name_and_a_key_are_there_once_in_a_tenant(void **state)
{
    Registry__V1__EnrolSystemReply *crm;

    (void)state;
    assert_ok(enrol("crm", KEY, &crm));
    assert_code(enrol("crm", "", &crm), ALREADY_EXISTS);
    assert_code(enrol("other", KEY, &crm), ALREADY_EXISTS);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_ok(enrol("crm", "", &crm));
}

static struct status
update(const char *id, uint64_t version, const char *field, Registry__V1__System **ret)
{
    static const char *types[] = {"com.example.crm.", "com.example.erp."};
    Registry__V1__UpdateSystemRequest request = REGISTRY__V1__UPDATE_SYSTEM_REQUEST__INIT;
    Registry__V1__SystemLimits limits = REGISTRY__V1__SYSTEM_LIMITS__INIT;
    Registry__V1__UpdateSystemReply *reply;

    limits.follows = 3;
    limits.events_per_second = 400;
    limits.appends_per_second = 50;
    request.system_id = id;
    request.expected_version = version;
    request.update_fields = &field;
    request.n_update_fields = 1;
    request.append_types = types;
    request.n_append_types = COUNT_OF(types);
    request.limits = &limits;
    TRY(stage_call(&stage, systems_service, "UpdateSystem", &request, &reply));
    *ret = reply->system;
    return OK;
}

static void
rights_and_limits_are_changed_and_published(void **state)
{
    static const char defaults[] =
        "SELECT count(*) FROM registry.published_systems WHERE tenant_id = '" TENANT_A
        "' AND append_types = '{}' AND follows_limit = 0 AND events_per_second = 0 "
        "AND appends_per_second = 0 AND key = ''";
    static const char changed[] =
        "SELECT count(*) FROM registry.published_systems WHERE append_types = "
        "'{com.example.crm.,com.example.erp.}' AND follows_limit = 3 "
        "AND events_per_second = 400 AND appends_per_second = 50";
    Registry__V1__EnrolSystemReply *crm;
    Registry__V1__System *system;

    (void)state;
    assert_ok(enrol("crm", "", &crm));
    assert_int_equal(crm->system->limits->follows, 0);
    assert_int_equal(test_number(defaults), 1);
    assert_ok(update(crm->system->system_id, 1, "append_types", &system));
    assert_int_equal(system->version, 2);
    assert_int_equal(system->limits->follows, 0);
    assert_code(update(crm->system->system_id, 1, "limits", &system), VERSION_MISMATCH);
    assert_ok(update(crm->system->system_id, 2, "limits", &system));
    assert_int_equal(test_number(changed), 1);
    system = list("")->systems[0];
    assert_int_equal(system->n_append_types, 2);
    assert_string_equal(system->append_types[1], "com.example.erp.");
    assert_int_equal(system->limits->events_per_second, 400);
    assert_string_equal(system->types[0], "org.samverka.need.");
    assert_int_equal(system->version, 3);
}

static void
neither_a_key_nor_a_revoked_system_is_changed(void **state)
{
    Registry__V1__EnrolSystemReply *crm;
    Registry__V1__System *system;

    (void)state;
    assert_ok(enrol("crm", KEY, &crm));
    assert_code(update(crm->system->system_id, 1, "curve_public_key", &system),
                INVALID_ARGUMENT);
    assert_code(update(NOBODYS, 1, "limits", &system), NOT_FOUND);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(update(crm->system->system_id, 1, "limits", &system), NOT_FOUND);
    stage_act(&stage, OFFICER, TENANT_A);
    assert_ok(revoke(crm->system->system_id, 1));
    assert_code(update(crm->system->system_id, 2, "limits", &system), FAILED_PRECONDITION);
}

static void
another_tenant_neither_lists_nor_revokes(void **state)
{
    Registry__V1__EnrolSystemReply *crm;

    (void)state;
    assert_ok(enrol("crm", KEY, &crm));
    stage_act(&stage, OFFICER, TENANT_B);
    assert_int_equal(list("")->n_systems, 0);
    assert_code(revoke(crm->system->system_id, 1), NOT_FOUND);
}

static void
the_newest_stand_first_and_pages_have_no_gaps(void **state)
{
    Registry__V1__EnrolSystemReply *made;
    Registry__V1__ListSystemsReply *page;

    (void)state;
    assert_ok(enrol("first", "", &made));
    assert_ok(enrol("second", "", &made));
    page = list("");
    assert_string_equal(page->systems[0]->name, "second");
    assert_string_equal(page->systems[0]->types[0], "org.samverka.need.");
    page = list(page->next_page_token);
    assert_string_equal(page->systems[0]->name, "first");
    assert_string_equal(page->next_page_token, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_system_is_published_to_events_until_it_is_revoked),
        TEST(a_system_for_public_events_alone_has_a_key_without_a_tenant_and_no_token),
        TEST(a_name_and_a_key_are_there_once_in_a_tenant),
        TEST(rights_and_limits_are_changed_and_published),
        TEST(neither_a_key_nor_a_revoked_system_is_changed),
        TEST(another_tenant_neither_lists_nor_revokes),
        TEST(the_newest_stand_first_and_pages_have_no_gaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
