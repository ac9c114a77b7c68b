#include "services/registry/people/people.h"

#include "registry/v1/people.pb-c.h"
#include "registry/v1/profiles.pb-c.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/room_test.h"

#define GRADUATE WIRE__V1__ROLE__GRADUATE
#define COACH WIRE__V1__ROLE__ACADEMIC_COACH

static struct stage stage;

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {people_statements, concepts_statements,
                                                       organisations_statements, NULL};

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
static Registry__V1__Affiliation affiliation;
static Registry__V1__Affiliation *affiliations[] = {&affiliation};
static Registry__V1__Degree degree;
static Registry__V1__Degree *degrees[] = {&degree};
static Registry__V1__LocalText about;
static Registry__V1__LocalText *abouts[] = {&about};

/* A full profile. */
static Registry__V1__CreatePersonRequest
profile(Registry__V1__PersonKind kind, const char *name, const char *reference)
{
    static const char *languages[] = {"sv", "en"};
    Registry__V1__CreatePersonRequest request = REGISTRY__V1__CREATE_PERSON_REQUEST__INIT;

    registry__v1__skill__init(&skill);
    registry__v1__affiliation__init(&affiliation);
    registry__v1__degree__init(&degree);
    registry__v1__local_text__init(&about);
    skill.concept_id = CONCEPT_1;
    skill.weight = 700;
    affiliation.organisation_id = COMPANY_A;
    affiliation.role = "engineer";
    affiliation.valid_from = "2025-01-01";
    degree.isced_f = "0713";
    degree.eqf = 7;
    degree.awarded_on = "2026-06-05";
    about.lang = "sv";
    about.value = "Energi i industrin";
    request.kind = kind;
    request.display_name = name;
    request.reference = reference;
    request.languages = languages;
    request.n_languages = COUNT_OF(languages);
    request.skills = skills;
    request.n_skills = 1;
    request.affiliations = affiliations;
    request.n_affiliations = 1;
    request.degrees = degrees;
    request.n_degrees = 1;
    request.about = abouts;
    request.n_about = 1;
    return request;
}

static struct status
create(const Registry__V1__CreatePersonRequest *request, Registry__V1__Person **ret)
{
    Registry__V1__CreatePersonReply *reply;

    TRY(stage_call(&stage, people_service, "CreatePerson", request, &reply));
    *ret = reply->person;
    return OK;
}

static Registry__V1__Person *
created(Registry__V1__PersonKind kind, const char *name)
{
    const Registry__V1__CreatePersonRequest request = profile(kind, name, "");
    Registry__V1__Person *person = NULL;

    assert_ok(create(&request, &person));
    return person;
}

static struct status
get(const char *id, Registry__V1__Person **ret)
{
    Registry__V1__GetPersonRequest request = REGISTRY__V1__GET_PERSON_REQUEST__INIT;
    Registry__V1__GetPersonReply *reply;

    request.person_id = id;
    TRY(stage_call(&stage, people_service, "GetPerson", &request, &reply));
    *ret = reply->person;
    return OK;
}

static struct status
set_pool(const char *id, uint64_t version, bool pool, Registry__V1__Visibility visibility,
         const char **shared, Registry__V1__Person **ret)
{
    Registry__V1__SetTalentPoolRequest request = REGISTRY__V1__SET_TALENT_POOL_REQUEST__INIT;
    Registry__V1__SetTalentPoolReply *reply;

    request.person_id = id;
    request.expected_version = version;
    request.talent_pool = pool;
    request.visibility = visibility;
    request.shared_with = shared;
    request.n_shared_with = shared ? 1 : 0;
    TRY(stage_call(&stage, people_service, "SetTalentPool", &request, &reply));
    *ret = reply->person;
    return OK;
}

static struct status
rename_to(const char *id, uint64_t version, const char *name, Registry__V1__Person **ret)
{
    const char *fields[] = {"display_name"};
    Registry__V1__UpdatePersonRequest request = REGISTRY__V1__UPDATE_PERSON_REQUEST__INIT;
    Registry__V1__UpdatePersonReply *reply;

    request.person_id = id;
    request.expected_version = version;
    request.update_fields = fields;
    request.n_update_fields = 1;
    request.display_name = name;
    TRY(stage_call(&stage, people_service, "UpdatePerson", &request, &reply));
    *ret = reply->person;
    return OK;
}

static Registry__V1__ListPeopleReply *
list(uint32_t size, const char *token, const char *name)
{
    Registry__V1__ListPeopleRequest request = REGISTRY__V1__LIST_PEOPLE_REQUEST__INIT;
    Registry__V1__ListPeopleReply *reply;

    request.page_size = size;
    request.page_token = token;
    request.name = name;
    assert_ok(stage_call(&stage, people_service, "ListPeople", &request, &reply));
    return reply;
}

static void
a_profile_comes_back_whole_with_labels_in_the_callers_language(void **state)
{
    Registry__V1__Person *made, *found;

    (void)state;
    made = created(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Åsa Öberg");
    assert_int_equal(stage.rpc.event_count, 0); /* hidden: matching does not hear of it */
    stage.rpc.call.lang = LANG_SV;
    assert_ok(get(made->person_id, &found));
    assert_string_equal(found->display_name, "Åsa Öberg");
    assert_int_equal(found->capacity, 1);
    assert_int_equal(found->n_languages, 2);
    assert_string_equal(found->affiliations[0]->role, "engineer");
    assert_string_equal(found->affiliations[0]->valid_to, "");
    assert_int_equal(found->degrees[0]->eqf, 7);
    assert_string_equal(found->degrees[0]->awarded_on, "2026-06-05");
    assert_int_equal(found->skills[0]->weight, 700);
    assert_string_equal(found->skills[0]->label, "energiledning");
    assert_string_equal(found->about[0]->value, "Energi i industrin");
    assert_false(found->talent_pool);
    assert_int_equal(found->version, 1);
}

static void
what_a_profile_refers_to_must_exist(void **state)
{
    Registry__V1__CreatePersonRequest request =
        profile(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Åsa", "");
    Registry__V1__Person *person;

    (void)state;
    skill.concept_id = NOBODYS;
    assert_field(create(&request, &person), FAILED_PRECONDITION, "skills[0].concept_id");
    skill.concept_id = CONCEPT_1;
    affiliation.organisation_id = NOBODYS;
    assert_field(create(&request, &person), FAILED_PRECONDITION,
                 "affiliations[0].organisation_id");
}

static void
a_graduate_makes_one_profile_and_the_login_gets_it(void **state)
{
    Registry__V1__CreatePersonRequest request =
        profile(REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE, "Åsa", "");
    Registry__V1__Person *person;

    (void)state;
    stage_act(&stage, GRADUATE, TENANT_A);
    assert_ok(create(&request, &person));
    assert_string_equal(person->account_id, ACCOUNT_A);
    assert_int_equal(test_number("SELECT count(*) FROM registry.membership m JOIN "
                                 "registry.person p ON p.id = m.person_id AND p.account_id = "
                                 "m.account_id"),
                     1);
    assert_code(create(&request, &person), ALREADY_EXISTS); /* the session does not know yet */
    assert_int_equal(test_number("SELECT count(*) FROM registry.person"), 1);
    stage.rpc.principal.person_id = person->person_id;
    assert_code(create(&request, &person), ALREADY_EXISTS);
}

static void
a_graduate_reads_and_changes_the_own_profile_alone(void **state)
{
    Registry__V1__Person *mine, *other, *ignored;

    (void)state;
    other = created(REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE, "Bo");
    stage_act(&stage, GRADUATE, TENANT_A);
    mine = created(REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE, "Åsa");
    stage.rpc.principal.person_id = mine->person_id;
    assert_ok(rename_to(mine->person_id, 1, "Åsa Öberg", &mine));
    assert_int_equal(mine->version, 2);
    assert_code(get(other->person_id, &ignored), NOT_FOUND);
    assert_code(rename_to(other->person_id, 1, "X", &ignored), NOT_FOUND);
    assert_code(get(NOBODYS, &ignored), NOT_FOUND);
}

static void
an_old_version_changes_nothing(void **state)
{
    const char *fields[] = {"person_id"};
    Registry__V1__UpdatePersonRequest request = REGISTRY__V1__UPDATE_PERSON_REQUEST__INIT;
    Registry__V1__UpdatePersonReply *reply;
    Registry__V1__Person *person, *ignored;

    (void)state;
    person = created(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Åsa");
    assert_ok(rename_to(person->person_id, 1, "B", &ignored));
    assert_code(rename_to(person->person_id, 1, "C", &ignored), VERSION_MISMATCH);
    assert_ok(get(person->person_id, &ignored));
    assert_string_equal(ignored->display_name, "B");
    request.person_id = person->person_id;
    request.expected_version = 2;
    request.update_fields = fields;
    request.n_update_fields = 1;
    assert_field(stage_call(&stage, people_service, "UpdatePerson", &request, &reply),
                 INVALID_ARGUMENT, "update_fields[0]");
}

static void
the_pool_is_entered_changed_and_left_and_matching_hears_it(void **state)
{
    const Registry__V1__ProfilesChanged *event;
    Registry__V1__Person *mine;
    const char *shared[] = {TENANT_B};

    (void)state;
    stage_act(&stage, GRADUATE, TENANT_A);
    mine = created(REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE, "Åsa");
    stage.rpc.principal.person_id = mine->person_id;
    assert_ok(
        set_pool(mine->person_id, 1, true, REGISTRY__V1__VISIBILITY__SHARED, shared, &mine));
    assert_true(mine->talent_pool);
    assert_int_equal(stage.rpc.event_count, 1);
    assert_string_equal(stage_event(&stage, 0), "ProfilesChanged");
    event = (const Registry__V1__ProfilesChanged *)stage.rpc.events[0].data;
    assert_string_equal(event->profiles[0]->kind, "person");
    assert_string_equal(event->profiles[0]->id, mine->person_id);
    assert_ok(rename_to(mine->person_id, 2, "Åsa Öberg", &mine));
    assert_string_equal(stage_event(&stage, 0), "ProfilesChanged");
    assert_field(
        set_pool(mine->person_id, 3, false, REGISTRY__V1__VISIBILITY__PUBLIC, NULL, &mine),
        INVALID_ARGUMENT, "visibility");
    assert_ok(set_pool(mine->person_id, 3, false, 0, NULL, &mine));
    assert_string_equal(stage_event(&stage, 0), "ProfilesWithdrawn");
    assert_int_equal(mine->visibility, REGISTRY__V1__VISIBILITY__PRIVATE);
    assert_int_equal(test_number("SELECT count(*) FROM registry.person WHERE talent_pool OR "
                                 "shared_with <> '{}'"),
                     0);
}

static void
an_officer_pools_staff_but_no_graduate(void **state)
{
    Registry__V1__Person *graduate, *researcher;

    (void)state;
    graduate = created(REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE, "Bo");
    researcher = created(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Cilla");
    assert_code(set_pool(graduate->person_id, 1, true, 0, NULL, &graduate), PERMISSION_DENIED);
    assert_ok(set_pool(researcher->person_id, 1, true, REGISTRY__V1__VISIBILITY__PUBLIC, NULL,
                       &researcher));
}

static void
another_tenant_sees_what_is_shared_and_changes_nothing(void **state)
{
    Registry__V1__Person *hidden, *open, *found;

    (void)state;
    hidden = created(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Hidden");
    open = created(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Open");
    assert_ok(
        set_pool(open->person_id, 1, true, REGISTRY__V1__VISIBILITY__PUBLIC, NULL, &open));
    stage_sql("UPDATE registry.person SET reference = 'r1' WHERE display_name = 'Open'");
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(get(hidden->person_id, &found), NOT_FOUND);
    assert_ok(get(open->person_id, &found));
    assert_string_equal(found->reference, "");
    assert_int_equal(list(0, "", "")->n_people, 1);
    assert_code(rename_to(open->person_id, 2, "X", &found), PERMISSION_DENIED);
    assert_code(set_pool(open->person_id, 2, false, 0, NULL, &found), PERMISSION_DENIED);
    stage_sql("UPDATE registry.person SET visibility = 1");
    assert_code(get(open->person_id, &found), NOT_FOUND);
    assert_code(rename_to(open->person_id, 2, "X", &found), NOT_FOUND);
    assert_int_equal(list(0, "", "")->n_people, 0);
}

static void
a_coach_lists_the_pool_and_oneself_an_officer_everybody(void **state)
{
    Registry__V1__Person *coach, *open;

    (void)state;
    coach = created(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Coach");
    open = created(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Open");
    (void)created(REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE, "Hidden");
    assert_ok(set_pool(open->person_id, 1, true, 0, NULL, &open));
    assert_int_equal(list(0, "", "")->n_people, 3);
    stage_act(&stage, COACH, TENANT_A);
    assert_int_equal(list(0, "", "")->n_people, 1);
    stage.rpc.principal.person_id = coach->person_id;
    assert_int_equal(list(0, "", "")->n_people, 2);
}

static void
a_list_is_by_name_and_pages_without_gaps(void **state)
{
    static const char *const names[] = {"Örjan", "anna", "Bo", "Åke"};
    static const char *const order[] = {"anna", "Bo", "Åke", "Örjan"};
    const Registry__V1__ListPeopleReply *page;
    const char *token = "";
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)created(REGISTRY__V1__PERSON_KIND__RESEARCHER, names[i]);
    do {
        page = list(1, token, "");
        assert_int_equal(page->n_people, 1);
        assert_string_equal(page->people[0]->display_name, order[seen++]);
        token = page->next_page_token;
    } while (*token);
    assert_int_equal(seen, COUNT_OF(order));
    assert_int_equal(list(0, "", "ÖR")->n_people, 1);
}

static struct status
import(Registry__V1__CreatePersonRequest *people, size_t count, bool pool,
       Registry__V1__ImportPeopleReply **reply)
{
    Registry__V1__ImportPeopleRequest request = REGISTRY__V1__IMPORT_PEOPLE_REQUEST__INIT;
    Registry__V1__CreatePersonRequest **list_of =
        ARENA_ARRAY(&stage.rpc.arena, Registry__V1__CreatePersonRequest *, count + 1);

    for (size_t i = 0; i < count; i++)
        list_of[i] = &people[i];
    request.people = list_of;
    request.n_people = count;
    request.talent_pool = pool;
    return stage_call(&stage, people_service, "ImportPeople", &request, reply);
}

static void
an_import_knows_people_by_their_reference(void **state)
{
    Registry__V1__CreatePersonRequest people[] = {
        profile(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Åsa", "r2"),
        profile(REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE, "Bo", "r1"),
    };
    Registry__V1__ImportPeopleReply *reply;

    (void)state;
    assert_ok(import(people, 2, true, &reply));
    assert_int_equal(reply->created, 2);
    assert_int_equal(stage.rpc.event_count, 1); /* the researcher's profile alone */
    assert_int_equal(
        ((const Registry__V1__ProfilesChanged *)stage.rpc.events[0].data)->n_profiles, 1);
    assert_ok(import(people, 2, true, &reply));
    assert_int_equal(reply->unchanged, 2);
    assert_int_equal(stage.rpc.event_count, 0);
    people[0].display_name = "Åsa Öberg";
    assert_ok(import(people, 2, false, &reply));
    assert_int_equal(reply->refreshed, 1);
    assert_int_equal(reply->unchanged, 1);
    assert_int_equal(test_number("SELECT count(*) FROM registry.person WHERE display_name = "
                                 "'Åsa Öberg' AND version = 2 AND talent_pool"),
                     1);
}

static void
an_import_is_all_or_nothing_and_names_the_place(void **state)
{
    Registry__V1__CreatePersonRequest people[] = {
        profile(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Åsa", "r2"),
        profile(REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE, "Bo", "r1"),
    };
    Registry__V1__ImportPeopleReply *reply;

    (void)state;
    assert_field(import(people, 0, false, &reply), INVALID_ARGUMENT, "people");
    people[1].reference = "";
    assert_field(import(people, 2, false, &reply), INVALID_ARGUMENT, "people[1].reference");
    people[1].reference = "r2";
    assert_field(import(people, 2, false, &reply), INVALID_ARGUMENT, "people[1].reference");
    people[1].reference = "r1";
    people[1].display_name = "";
    assert_field(import(people, 2, false, &reply), INVALID_ARGUMENT, "people[1].display_name");
    people[1].display_name = "Bo";
    people[0].n_affiliations = 0;
    affiliation.organisation_id = NOBODYS;
    assert_field(import(people, 2, false, &reply), FAILED_PRECONDITION,
                 "people[1].affiliations[0].organisation_id");
    affiliation.organisation_id = COMPANY_A;
    people[0].n_skills = 0;
    skill.concept_id = NOBODYS;
    assert_field(import(people, 2, false, &reply), FAILED_PRECONDITION,
                 "people[1].skills[0].concept_id");
    assert_int_equal(test_number("SELECT count(*) FROM registry.person"), 0);
}

static void
the_same_reference_in_another_tenant_is_another_person(void **state)
{
    Registry__V1__CreatePersonRequest people[] = {
        profile(REGISTRY__V1__PERSON_KIND__RESEARCHER, "Åsa", "r1")};
    Registry__V1__ImportPeopleReply *reply;
    Registry__V1__Person *person;

    (void)state;
    assert_ok(import(people, 1, true, &reply));
    stage_act(&stage, OFFICER, TENANT_B);
    assert_ok(import(people, 1, true, &reply));
    assert_int_equal(reply->created, 1);
    assert_code(create(&people[0], &person), ALREADY_EXISTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_profile_comes_back_whole_with_labels_in_the_callers_language),
        TEST(what_a_profile_refers_to_must_exist),
        TEST(a_graduate_makes_one_profile_and_the_login_gets_it),
        TEST(a_graduate_reads_and_changes_the_own_profile_alone),
        TEST(an_old_version_changes_nothing),
        TEST(the_pool_is_entered_changed_and_left_and_matching_hears_it),
        TEST(an_officer_pools_staff_but_no_graduate),
        TEST(another_tenant_sees_what_is_shared_and_changes_nothing),
        TEST(a_coach_lists_the_pool_and_oneself_an_officer_everybody),
        TEST(a_list_is_by_name_and_pages_without_gaps),
        TEST(an_import_knows_people_by_their_reference),
        TEST(an_import_is_all_or_nothing_and_names_the_place),
        TEST(the_same_reference_in_another_tenant_is_another_person),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
