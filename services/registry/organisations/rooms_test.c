#include "services/registry/organisations/organisations.h"

#include "registry/v1/organisations.pb-c.h"
#include "services/registry/organisations/owner.h"
#include "services/registry/organisations/store.h"
#include "services/registry/room_test.h"

#define OPERATOR WIRE__V1__ROLE__OPERATOR
#define SAAB "556036-0793"

static struct stage stage;

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {organisations_statements, NULL};

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

/* A company with a name and, unless it is NULL, a Swedish number. */
static Registry__V1__CreateOrganisationRequest *
company(const char *label, const char *number)
{
    struct arena *arena = &stage.rpc.arena;
    Registry__V1__CreateOrganisationRequest *request =
        ARENA_NEW(arena, Registry__V1__CreateOrganisationRequest);
    Registry__V1__LocalText *name = ARENA_NEW(arena, Registry__V1__LocalText);
    Registry__V1__ExternalId *id = ARENA_NEW(arena, Registry__V1__ExternalId);

    registry__v1__create_organisation_request__init(request);
    registry__v1__local_text__init(name);
    registry__v1__external_id__init(id);
    name->lang = "sv";
    name->value = label;
    id->scheme = "se-orgnr";
    id->value = number ? number : "";
    request->names = ARENA_ARRAY(arena, Registry__V1__LocalText *, 1);
    request->names[0] = name;
    request->n_names = 1;
    request->external_ids = ARENA_ARRAY(arena, Registry__V1__ExternalId *, 1);
    request->external_ids[0] = id;
    request->n_external_ids = number ? 1 : 0;
    request->type = REGISTRY__V1__ORGANISATION_TYPE__COMPANY;
    request->country = "SE";
    request->nuts = "SE123";
    request->nace = "30.3";
    return request;
}

static struct status
create(const char *label, const char *number, Registry__V1__Organisation **ret)
{
    Registry__V1__CreateOrganisationReply *reply;

    TRY(stage_call(&stage, organisations_service, "CreateOrganisation", company(label, number),
                   &reply));
    *ret = reply->organisation;
    return OK;
}

static Registry__V1__Organisation *
get(const char *id)
{
    Registry__V1__GetOrganisationRequest request = REGISTRY__V1__GET_ORGANISATION_REQUEST__INIT;
    Registry__V1__GetOrganisationReply *reply;

    request.organisation_id = id;
    assert_ok(stage_call(&stage, organisations_service, "GetOrganisation", &request, &reply));
    return reply->organisation;
}

static struct status
update(const char *id, uint64_t version, Registry__V1__UpdateOrganisationRequest *request,
       const char *field)
{
    const char *fields[] = {field};
    Registry__V1__UpdateOrganisationReply *reply;

    request->organisation_id = id;
    request->expected_version = version;
    request->update_fields = fields;
    request->n_update_fields = 1;
    return stage_call(&stage, organisations_service, "UpdateOrganisation", request, &reply);
}

static struct status
move_to(const char *id, uint64_t version, const char *nuts)
{
    Registry__V1__UpdateOrganisationRequest request =
        REGISTRY__V1__UPDATE_ORGANISATION_REQUEST__INIT;

    request.nuts = nuts;
    return update(id, version, &request, "nuts");
}

static void
an_organisation_is_announced_to_all_and_seen_by_all(void **state)
{
    Registry__V1__Organisation *made, *found;

    (void)state;
    assert_ok(create("Saab", SAAB, &made));
    assert_string_equal(stage_event(&stage, 0), "OrganisationRegistered");
    assert_string_equal(stage.rpc.events[0].audience, "public");
    assert_string_equal(stage.rpc.events[0].nuts, "SE123");
    stage_act(&stage, OFFICER, TENANT_B);
    found = get(made->organisation_id);
    assert_string_equal(found->names[0]->value, "Saab");
    assert_string_equal(found->external_ids[0]->value, SAAB);
    assert_true(found->external_ids[0]->verified);
    assert_true(found->verified);
    assert_string_equal(found->nace, "30.3");
}

static void
an_external_id_belongs_to_one(void **state)
{
    Registry__V1__Organisation *made;

    (void)state;
    assert_ok(create("Saab", SAAB, &made));
    assert_code(create("Another", SAAB, &made), ALREADY_EXISTS);
    assert_int_equal(test_number("SELECT count(*) FROM registry.organisation"), 3);
}

static void
the_maker_corrects_and_others_do_not(void **state)
{
    Registry__V1__UpdateOrganisationRequest request =
        REGISTRY__V1__UPDATE_ORGANISATION_REQUEST__INIT;

    (void)state;
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(move_to(COMPANY_A, 1, "SE313"), PERMISSION_DENIED);
    stage_act(&stage, OFFICER, TENANT_A);
    assert_ok(move_to(COMPANY_A, 1, "SE313"));
    assert_int_equal(stage.rpc.event_count, 1);
    assert_string_equal(stage_event(&stage, 0), "OrganisationUpdated");
    assert_code(move_to(COMPANY_A, 1, "SE312"), VERSION_MISMATCH);
    assert_string_equal(get(COMPANY_A)->nuts, "SE313");
    request.status = REGISTRY__V1__ORGANISATION_STATUS__INACTIVE;
    assert_ok(update(COMPANY_A, 2, &request, "status"));
    assert_string_equal(stage_event(&stage, 1), "OrganisationStatusChanged");
}

static void
a_number_added_later_verifies_as_well_and_then_the_host_corrects(void **state)
{
    Registry__V1__UpdateOrganisationRequest request =
        REGISTRY__V1__UPDATE_ORGANISATION_REQUEST__INIT;
    const Registry__V1__CreateOrganisationRequest *known = company("x", SAAB);

    (void)state;
    request.external_ids = known->external_ids;
    request.n_external_ids = 1;
    assert_ok(update(COMPANY_A, 1, &request, "external_ids"));
    assert_true(get(COMPANY_A)->verified);
    assert_code(move_to(COMPANY_A, 2, "SE313"), PERMISSION_DENIED);
    stage_sql("UPDATE registry.tenant SET host = true WHERE id = '" TENANT_B "'");
    stage_act(&stage, OFFICER, TENANT_B);
    assert_ok(move_to(COMPANY_A, 2, "SE313"));
}

static Registry__V1__ListOrganisationsReply *
list(const char *part, const char *external_id, uint32_t size, const char *token)
{
    Registry__V1__ListOrganisationsRequest request =
        REGISTRY__V1__LIST_ORGANISATIONS_REQUEST__INIT;
    Registry__V1__ListOrganisationsReply *reply;

    request.name = part;
    request.external_id = external_id;
    request.page_size = size;
    request.page_token = token;
    assert_ok(stage_call(&stage, organisations_service, "ListOrganisations", &request, &reply));
    return reply;
}

static void
a_list_filters_and_pages_by_name(void **state)
{
    Registry__V1__ListOrganisationsReply *page;
    Registry__V1__Organisation *made;

    (void)state;
    assert_ok(create("Saab", SAAB, &made));
    page = list("", "", 2, "");
    assert_int_equal(page->n_organisations, 2);
    assert_string_equal(page->organisations[0]->names[0]->value, "Dalafrakt");
    page = list("", "", 2, page->next_page_token);
    assert_int_equal(page->n_organisations, 1);
    assert_string_equal(page->organisations[0]->names[0]->value, "Saab");
    assert_string_equal(page->next_page_token, "");
    assert_int_equal(list("VERK", "", 0, "")->n_organisations, 1);
    assert_int_equal(list("", "se-orgnr:" SAAB, 0, "")->n_organisations, 1);
    assert_int_equal(list("", SAAB, 0, "")->n_organisations, 1);
    assert_int_equal(list("", "vat:" SAAB, 0, "")->n_organisations, 0);
}

static void
a_cursor_of_another_list_or_tenant_is_refused(void **state)
{
    Registry__V1__ListOrganisationsRequest request =
        REGISTRY__V1__LIST_ORGANISATIONS_REQUEST__INIT;
    Registry__V1__ListOrganisationsReply *reply;

    (void)state;
    request.page_token = list("", "", 1, "")->next_page_token;
    request.name = "x";
    assert_field(
        stage_call(&stage, organisations_service, "ListOrganisations", &request, &reply),
        INVALID_ARGUMENT, "page_token");
    request.name = "";
    stage_act(&stage, OFFICER, TENANT_B);
    assert_field(
        stage_call(&stage, organisations_service, "ListOrganisations", &request, &reply),
        INVALID_ARGUMENT, "page_token");
}

static struct status
import(Registry__V1__CreateOrganisationRequest **items, size_t count,
       Registry__V1__ImportOrganisationsReply **reply)
{
    Registry__V1__ImportOrganisationsRequest request =
        REGISTRY__V1__IMPORT_ORGANISATIONS_REQUEST__INIT;

    request.organisations = items;
    request.n_organisations = count;
    return stage_call(&stage, organisations_service, "ImportOrganisations", &request, reply);
}

static void
an_import_creates_refreshes_and_leaves_alone(void **state)
{
    Registry__V1__CreateOrganisationRequest *items[] = {company("Saab", SAAB),
                                                        company("Dalafrakt", NULL)};
    Registry__V1__ImportOrganisationsReply *reply;

    (void)state;
    stage_act(&stage, OPERATOR, TENANT_A);
    assert_ok(import(items, 2, &reply));
    assert_int_equal(reply->created, 1);
    assert_int_equal(reply->refreshed, 1); /* known by country, type and name */
    assert_int_equal(stage.rpc.event_count, 1);
    assert_ok(import(items, 2, &reply));
    assert_int_equal(reply->unchanged, 2);
    assert_int_equal(stage.rpc.event_count, 0);
    items[0]->names[0]->value = "Saab AB"; /* known by its number */
    assert_ok(import(items, 2, &reply));
    assert_int_equal(reply->refreshed, 1);
    items[1]->names[0]->value = "";
    assert_field(import(items, 2, &reply), INVALID_ARGUMENT, "organisations[1].names[0].value");
}

static void
a_full_batch_is_announced_in_events_that_fit(void **state)
{
    Registry__V1__CreateOrganisationRequest **items =
        ARENA_ARRAY(&stage.rpc.arena, Registry__V1__CreateOrganisationRequest *, 501);
    Registry__V1__ImportOrganisationsReply *reply;

    (void)state;
    stage_act(&stage, OPERATOR, TENANT_A);
    for (size_t i = 0; i < 501; i++)
        items[i] = company(arena_printf(&stage.rpc.arena, "Company %zu", i), NULL);
    assert_field(import(items, 501, &reply), INVALID_ARGUMENT, "organisations");
    assert_ok(import(items, 500, &reply));
    assert_int_equal(reply->created, 500);
    assert_int_equal(stage.rpc.event_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(protobuf_c_message_get_packed_size(stage.rpc.events[i].data) < 15000);
}

static void
relations_are_listed_from_both_ends(void **state)
{
    Registry__V1__RelateOrganisationsRequest relate =
        REGISTRY__V1__RELATE_ORGANISATIONS_REQUEST__INIT;
    Registry__V1__ListOrganisationRelationsRequest ask =
        REGISTRY__V1__LIST_ORGANISATION_RELATIONS_REQUEST__INIT;
    Registry__V1__ListOrganisationRelationsReply *relations;
    Registry__V1__RelateOrganisationsReply *reply;

    (void)state;
    relate.parent_id = COMPANY_A;
    relate.child_id = COMPANY_B;
    relate.kind = REGISTRY__V1__RELATION_KIND__OWNS;
    relate.share_thousandths = 600;
    relate.source = "annual report";
    relate.valid_from = "2026-01-01";
    assert_ok(
        stage_call(&stage, organisations_service, "RelateOrganisations", &relate, &reply));
    assert_code(
        stage_call(&stage, organisations_service, "RelateOrganisations", &relate, &reply),
        ALREADY_EXISTS);
    ask.organisation_id = COMPANY_B;
    assert_ok(stage_call(&stage, organisations_service, "ListOrganisationRelations", &ask,
                         &relations));
    assert_int_equal(relations->n_relations, 1);
    assert_string_equal(relations->relations[0]->parent_id, COMPANY_A);
    assert_int_equal(relations->relations[0]->share_thousandths, 600);
    relate.child_id = NOBODYS;
    assert_code(
        stage_call(&stage, organisations_service, "RelateOrganisations", &relate, &reply),
        FAILED_PRECONDITION);
}

static void
an_open_ended_relation_is_kept_once_too(void **state)
{
    Registry__V1__RelateOrganisationsRequest relate =
        REGISTRY__V1__RELATE_ORGANISATIONS_REQUEST__INIT;
    Registry__V1__RelateOrganisationsReply *reply;

    (void)state;
    relate.parent_id = COMPANY_A;
    relate.child_id = COMPANY_B;
    relate.kind = REGISTRY__V1__RELATION_KIND__CONTROLS;
    relate.source = "annual report";
    assert_ok(
        stage_call(&stage, organisations_service, "RelateOrganisations", &relate, &reply));
    assert_code(
        stage_call(&stage, organisations_service, "RelateOrganisations", &relate, &reply),
        ALREADY_EXISTS);
}

static void
the_first_unknown_id_of_many_is_told(void **state)
{
    const char *ids[] = {COMPANY_A, NOBODYS, COMPANY_B, NOBODYS};
    size_t missing = 0;
    bool all;

    (void)state;
    stage_begin(&stage, TENANT_A);
    assert_ok(store_organisation_known(&stage.tx, &stage.rpc.arena, ids, 4, &all, &missing));
    assert_false(all);
    assert_int_equal(missing, 1);
    assert_ok(store_organisation_known(&stage.tx, &stage.rpc.arena, ids, 1, &all, &missing));
    assert_true(all);
    assert_ok(store_organisation_known(&stage.tx, &stage.rpc.arena, ids, 0, &all, &missing));
    assert_true(all);
}

static void
only_a_mere_contact_is_bound_to_an_organisation(void **state)
{
    (void)state;
    assert_string_equal(owner_contact_for(&stage.rpc.call), "");
    stage_act(&stage, WIRE__V1__ROLE__COMPANY_CONTACT, TENANT_A);
    assert_string_equal(owner_contact_for(&stage.rpc.call),
                        "00000000-0000-0000-0000-000000000000");
    stage.rpc.principal.organisation_id = COMPANY_A;
    assert_string_equal(owner_contact_for(&stage.rpc.call), COMPANY_A);
    assert_ok(owner_may_act(&stage.rpc.call, COMPANY_A));
    assert_code(owner_may_act(&stage.rpc.call, COMPANY_B), PERMISSION_DENIED);
    stage.rpc.roles[1] = OFFICER;
    stage.rpc.principal.n_roles = 2;
    assert_string_equal(owner_contact_for(&stage.rpc.call), "");
    assert_ok(owner_may_act(&stage.rpc.call, COMPANY_B));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_organisation_is_announced_to_all_and_seen_by_all),
        TEST(an_external_id_belongs_to_one),
        TEST(the_maker_corrects_and_others_do_not),
        TEST(a_number_added_later_verifies_as_well_and_then_the_host_corrects),
        TEST(a_list_filters_and_pages_by_name),
        TEST(a_cursor_of_another_list_or_tenant_is_refused),
        TEST(an_import_creates_refreshes_and_leaves_alone),
        TEST(a_full_batch_is_announced_in_events_that_fit),
        TEST(relations_are_listed_from_both_ends),
        TEST(an_open_ended_relation_is_kept_once_too),
        TEST(the_first_unknown_id_of_many_is_told),
        TEST(only_a_mere_contact_is_bound_to_an_organisation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
