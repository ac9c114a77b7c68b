/* What a person wishes, kept and published. */

#include "registry/v1/people.pb-c.h"
#include "registry/v1/profiles.pb-c.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/people/people.h"
#include "services/registry/room_test.h"

static struct stage stage;
static Registry__V1__Skill skill;
static Registry__V1__Skill *skills[] = {&skill};
static Registry__V1__Wishes wishes;
static const char *nuts[] = {"SE31", "FI1D"};
static Registry__V1__FocusArea focus[] = {REGISTRY__V1__FOCUS_AREA__PROCESS};
static Registry__V1__Theme themes[] = {REGISTRY__V1__THEME__TOURISM};

static int
set_up(void **state)
{
    const struct pg_statement *const *const rooms[] = {people_statements, concepts_statements,
                                                       organisations_statements, NULL};

    (void)state;
    stage_open(&stage, rooms);
    registry__v1__skill__init(&skill);
    registry__v1__wishes__init(&wishes);
    skill.concept_id = CONCEPT_1;
    skill.weight = 700;
    wishes.concepts = skills;
    wishes.n_concepts = 1;
    wishes.nuts = nuts;
    wishes.n_nuts = 2;
    wishes.focus = focus;
    wishes.n_focus = 1;
    wishes.themes = themes;
    wishes.n_themes = 1;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

static Registry__V1__CreatePersonRequest
researcher(void)
{
    Registry__V1__CreatePersonRequest request = REGISTRY__V1__CREATE_PERSON_REQUEST__INIT;

    request.kind = REGISTRY__V1__PERSON_KIND__RESEARCHER;
    request.display_name = "Åsa Öberg";
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

static struct status
wish(const Registry__V1__Person *person, Registry__V1__Wishes *wanted,
     Registry__V1__Person **ret)
{
    const char *fields[] = {"wishes"};
    Registry__V1__UpdatePersonRequest request = REGISTRY__V1__UPDATE_PERSON_REQUEST__INIT;
    Registry__V1__UpdatePersonReply *reply;

    request.person_id = person->person_id;
    request.expected_version = person->version;
    request.update_fields = fields;
    request.n_update_fields = 1;
    request.wishes = wanted;
    TRY(stage_call(&stage, people_service, "UpdatePerson", &request, &reply));
    *ret = reply->person;
    return OK;
}

static Registry__V1__Person *
pooled(const Registry__V1__Person *person)
{
    Registry__V1__SetTalentPoolRequest request = REGISTRY__V1__SET_TALENT_POOL_REQUEST__INIT;
    Registry__V1__SetTalentPoolReply *reply;

    request.person_id = person->person_id;
    request.expected_version = person->version;
    request.talent_pool = true;
    request.visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    assert_ok(stage_call(&stage, people_service, "SetTalentPool", &request, &reply));
    return reply->person;
}

static Registry__V1__Person *
found(const char *id)
{
    Registry__V1__GetPersonRequest request = REGISTRY__V1__GET_PERSON_REQUEST__INIT;
    Registry__V1__GetPersonReply *reply;

    request.person_id = id;
    assert_ok(stage_call(&stage, people_service, "GetPerson", &request, &reply));
    return reply->person;
}

static void
assert_whole(const Registry__V1__Wishes *kept)
{
    assert_non_null(kept);
    assert_int_equal(kept->n_concepts, 1);
    assert_string_equal(kept->concepts[0]->concept_id, CONCEPT_1);
    assert_int_equal(kept->concepts[0]->weight, 700);
    assert_string_equal(kept->concepts[0]->label, "energiledning");
    assert_int_equal(kept->n_nuts, 2);
    assert_string_equal(kept->nuts[1], "FI1D");
    assert_int_equal(kept->n_focus, 1);
    assert_int_equal(kept->focus[0], focus[0]);
    assert_int_equal(kept->n_themes, 1);
    assert_int_equal(kept->themes[0], themes[0]);
}

static void
wishes_come_back_whole_and_are_taken_back(void **state)
{
    Registry__V1__CreatePersonRequest request = researcher();
    Registry__V1__Person *person;

    (void)state;
    stage.rpc.call.lang = LANG_SV;
    request.wishes = &wishes;
    assert_ok(create(&request, &person));
    assert_whole(found(person->person_id)->wishes);
    assert_ok(wish(person, NULL, &person));
    assert_null(found(person->person_id)->wishes);
    assert_ok(wish(person, &wishes, &person));
    assert_whole(found(person->person_id)->wishes);
}

static void
matching_hears_of_them_and_reads_them_with_the_pool(void **state)
{
    const Registry__V1__CreatePersonRequest request = researcher();
    Registry__V1__Person *person;

    (void)state;
    assert_ok(create(&request, &person));
    assert_ok(wish(person, &wishes, &person));
    assert_int_equal(stage.rpc.event_count, 0); /* hidden */
    person = pooled(person);
    assert_ok(wish(person, &wishes, &person));
    assert_int_equal(stage.rpc.event_count, 1);
    assert_string_equal(stage_event(&stage, 0), "ProfilesChanged");
    assert_int_equal(test_number("SELECT count(*) FROM registry.published_profiles WHERE "
                                 "wished_concept_ids = ARRAY['" CONCEPT_1 "'::uuid] AND "
                                 "wished_concept_weights = '{700}' AND wished_nuts = "
                                 "'{SE31,FI1D}' AND wished_tags = '{process,tourism}'"),
                     1);
}

static void
another_tenant_reads_the_profile_without_them(void **state)
{
    Registry__V1__CreatePersonRequest request = researcher();
    Registry__V1__Person *person;

    (void)state;
    request.wishes = &wishes;
    assert_ok(create(&request, &person));
    person = pooled(person);
    assert_non_null(person->wishes);
    stage_act(&stage, OFFICER, TENANT_B);
    assert_null(found(person->person_id)->wishes);
    stage_act(&stage, WIRE__V1__ROLE__ACADEMIC_COACH, TENANT_A);
    assert_null(found(person->person_id)->wishes);
}

static void
a_concept_that_is_wished_must_exist_and_an_import_states_none(void **state)
{
    Registry__V1__CreatePersonRequest request = researcher();
    Registry__V1__CreatePersonRequest *people[] = {&request};
    Registry__V1__ImportPeopleRequest import = REGISTRY__V1__IMPORT_PEOPLE_REQUEST__INIT;
    Registry__V1__ImportPeopleReply *reply;
    Registry__V1__Person *person;

    (void)state;
    request.wishes = &wishes;
    skill.concept_id = NOBODYS;
    assert_field(create(&request, &person), FAILED_PRECONDITION,
                 "wishes.concepts[0].concept_id");
    skill.concept_id = CONCEPT_1;
    request.reference = "r1";
    import.people = people;
    import.n_people = 1;
    assert_field(stage_call(&stage, people_service, "ImportPeople", &import, &reply),
                 INVALID_ARGUMENT, "people[0].wishes");
    /* What is imported again keeps the wishes. */
    assert_ok(create(&request, &person));
    request.wishes = NULL;
    request.display_name = "Åsa Ö";
    assert_ok(stage_call(&stage, people_service, "ImportPeople", &import, &reply));
    assert_int_equal(reply->refreshed, 1);
    assert_non_null(found(person->person_id)->wishes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wishes_come_back_whole_and_are_taken_back),
        TEST(matching_hears_of_them_and_reads_them_with_the_pool),
        TEST(another_tenant_reads_the_profile_without_them),
        TEST(a_concept_that_is_wished_must_exist_and_an_import_states_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
