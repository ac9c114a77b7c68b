/* Erasing a profile, on a real Postgres. */

#include "services/registry/people/people.h"

#include "registry/v1/people.pb-c.h"
#include "registry/v1/profiles.pb-c.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/room_test.h"

#define GRADUATE WIRE__V1__ROLE__GRADUATE
/* Words of the person's in any row. */
#define TRACES                                                                                 \
    "SELECT (SELECT count(*) FROM registry.person p WHERE to_jsonb(p)::text ILIKE "            \
    "'%canary%') + (SELECT count(*) FROM registry.membership m WHERE person_id IS NOT NULL)"
/* Fields of an erased row that say anything of the person. */
#define FULL_FIELDS                                                                            \
    "SELECT count(*) FROM registry.person p, jsonb_each(to_jsonb(p)) AS f "                    \
    "WHERE f.key NOT IN ('tenant_id', 'id', 'kind', 'version', 'visibility', 'created_at', "   \
    "'updated_at', 'erased_at') "                                                              \
    "AND f.value::text NOT IN ('[]', 'null', '\"\"', '0', 'false')"

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

static Registry__V1__Person *
graduate(void)
{
    Registry__V1__LocalText about = REGISTRY__V1__LOCAL_TEXT__INIT;
    Registry__V1__LocalText *abouts[] = {&about};
    Registry__V1__Wishes wishes = REGISTRY__V1__WISHES__INIT;
    Registry__V1__FocusArea focus = REGISTRY__V1__FOCUS_AREA__PROCESS;
    const char *nuts[] = {"SE312"};
    Registry__V1__CreatePersonRequest request = REGISTRY__V1__CREATE_PERSON_REQUEST__INIT;
    Registry__V1__CreatePersonReply *reply;

    stage_act(&stage, GRADUATE, TENANT_A);
    about.lang = "sv";
    about.value = "Jag heter Canary";
    request.kind = REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE;
    request.display_name = "Canary Öberg";
    request.about = abouts;
    request.n_about = 1;
    wishes.nuts = nuts;
    wishes.n_nuts = 1;
    wishes.focus = &focus;
    wishes.n_focus = 1;
    request.wishes = &wishes;
    assert_ok(stage_call(&stage, people_service, "CreatePerson", &request, &reply));
    stage.rpc.principal.person_id = reply->person->person_id;
    return reply->person;
}

static void
enter_pool(const Registry__V1__Person *person)
{
    Registry__V1__SetTalentPoolRequest request = REGISTRY__V1__SET_TALENT_POOL_REQUEST__INIT;
    Registry__V1__SetTalentPoolReply *reply;

    request.person_id = person->person_id;
    request.expected_version = person->version;
    request.talent_pool = true;
    assert_ok(stage_call(&stage, people_service, "SetTalentPool", &request, &reply));
}

static struct status
erase(const char *person_id)
{
    Registry__V1__ErasePersonRequest request = REGISTRY__V1__ERASE_PERSON_REQUEST__INIT;
    Registry__V1__ErasePersonReply *reply;

    request.person_id = person_id;
    return stage_call(&stage, people_service, "ErasePerson", &request, &reply);
}

static struct status
get(const char *person_id)
{
    Registry__V1__GetPersonRequest request = REGISTRY__V1__GET_PERSON_REQUEST__INIT;
    Registry__V1__GetPersonReply *reply;

    request.person_id = person_id;
    return stage_call(&stage, people_service, "GetPerson", &request, &reply);
}

static void
an_erased_profile_is_an_empty_row_that_nobody_reads_and_all_hear_of_it(void **state)
{
    const Registry__V1__Person *person = graduate();
    Registry__V1__ListPeopleRequest list = REGISTRY__V1__LIST_PEOPLE_REQUEST__INIT;
    Registry__V1__ListPeopleReply *listed;

    (void)state;
    enter_pool(person);
    stage.rpc.event_count = 0;
    assert_true(test_number(TRACES) == 2);
    assert_true(test_number(FULL_FIELDS) > 5);
    assert_ok(erase(person->person_id));
    assert_int_equal(test_number(TRACES), 0);
    assert_int_equal(test_number(FULL_FIELDS), 0);
    assert_int_equal(test_number("SELECT count(*) FROM registry.person"), 1);
    assert_int_equal(test_number("SELECT count(*) FROM registry.published_profiles"), 0);
    assert_int_equal(stage.rpc.event_count, 2);
    assert_ptr_equal(stage.rpc.events[0].data->descriptor,
                     &registry__v1__profiles_withdrawn__descriptor);
    assert_ptr_equal(stage.rpc.events[1].data->descriptor,
                     &registry__v1__subject_erased__descriptor);
    assert_string_equal(stage.rpc.events[1].subject, person->person_id);
    assert_code(get(person->person_id), NOT_FOUND);
    assert_code(erase(person->person_id), NOT_FOUND);
    stage_act(&stage, OFFICER, TENANT_A);
    assert_code(get(person->person_id), NOT_FOUND);
    assert_ok(stage_call(&stage, people_service, "ListPeople", &list, &listed));
    assert_int_equal(listed->n_people, 0);
}

static void
whom_it_does_not_concern_erases_nobody(void **state)
{
    const Registry__V1__Person *person = graduate();

    (void)state;
    stage.rpc.principal.person_id = NOBODYS;
    assert_code(erase(person->person_id), NOT_FOUND); /* a stranger does not even see it */
    stage_act(&stage, OFFICER, TENANT_B);
    assert_code(erase(person->person_id), NOT_FOUND);
    assert_true(test_number(TRACES) == 2);
    stage_act(&stage, OFFICER, TENANT_A);
    assert_ok(erase(person->person_id));
}

static void
the_login_may_make_another_profile_later(void **state)
{
    const Registry__V1__Person *person = graduate();

    (void)state;
    assert_ok(erase(person->person_id));
    stage.rpc.principal.person_id = "";
    assert_string_not_equal(graduate()->person_id, person->person_id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_erased_profile_is_an_empty_row_that_nobody_reads_and_all_hear_of_it),
        TEST(whom_it_does_not_concern_erases_nobody),
        TEST(the_login_may_make_another_profile_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
