#include <string.h>

#include "common/base/test.h"
#include "services/cli/demo.h"

#define TODAY 20779 /* 2026-11-22 */

static struct arena arena;
static struct demo_values values;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    return failed(demo_values_init(&values, TODAY, "a passphrase")) ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    demo_values_fini(&values);
    arena_fini(&arena);
    return 0;
}

static json_t *
parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);

    assert_non_null(json);
    return json;
}

static void
learn(const char *name, const char *reply)
{
    json_t *json = parse(reply);

    assert_int_equal(demo_values_learn(&values, name, json).code, CODE_OK);
    json_decref(json);
}

static void
learn_list(const char *list, const char *prefix, const char *key)
{
    json_t *json = parse(list);

    assert_int_equal(demo_values_learn_list(&values, &arena, json, prefix, key).code, CODE_OK);
    json_decref(json);
}

static void
expect_text(const char *from, const char *to)
{
    const char *found;

    assert_int_equal(demo_values_text(&values, &arena, from, &found).code, CODE_OK);
    assert_string_equal(found, to);
}

static void
expect_failure(const char *from, enum code code)
{
    const char *found = "untouched";

    assert_int_equal(demo_values_text(&values, &arena, from, &found).code, code);
    assert_string_equal(found, "untouched");
}

static void
a_name_stands_for_the_id_of_what_the_step_made(void **state)
{
    (void)state;
    learn("need/a", "{\"need\": {\"needId\": \"id-1\", \"version\": \"1\"}}");
    expect_text("@need/a", "id-1");
    expect_text("@need/a.version", "1");
    expect_failure("@need/b", CODE_FAILED_PRECONDITION);
}

static void
a_version_is_the_latest_that_any_step_has_seen(void **state)
{
    (void)state;
    learn("p", "{\"placement\": {\"placementId\": \"id-2\", \"version\": \"1\"}}");
    learn("p/verdict", "{\"placement\": {\"placementId\": \"id-2\", \"version\": \"2\"},"
                       " \"verdict\": {\"verdictId\": \"v-1\"}}");
    learn("a", "{\"application\": {\"applicationId\": \"id-3\", \"version\": \"4\"},"
               " \"placement\": {\"placementId\": \"id-2\", \"version\": \"3\"}}");
    expect_text("@p.version", "3");
    expect_text("@a", "id-3");
    expect_text("@a.version", "4");
}

static void
a_resource_without_a_version_has_none(void **state)
{
    (void)state;
    learn("s", "{\"subscription\": {\"subscriptionId\": \"id-4\"}}");
    expect_text("@s", "id-4");
    expect_failure("@s.version", CODE_FAILED_PRECONDITION);
    learn("counts", "{\"created\": 3}");
    expect_failure("@counts", CODE_FAILED_PRECONDITION);
}

static void
things_of_a_list_are_named_by_a_key(void **state)
{
    (void)state;
    learn_list("[{\"personId\": \"id-5\", \"reference\": \"anna\", \"version\": \"9\"},"
               " {\"personId\": \"id-6\"}]",
               "person/", "reference");
    expect_text("@person/anna", "id-5");
    expect_failure("@person/anna.version", CODE_FAILED_PRECONDITION);
    learn_list("[{\"organisationId\": \"id-7\", \"names\": [{\"value\": \"Dalahus\"}]}]",
               "org/", "names/0/value");
    expect_text("@org/Dalahus", "id-7");
}

static void
the_first_of_a_name_keeps_it(void **state)
{
    (void)state;
    learn_list("[{\"id\": \"first\", \"k\": \"x\"}, {\"id\": \"second\", \"k\": \"x\"}]", "",
               "k");
    expect_text("@x", "first");
}

static void
dates_are_counted_from_the_day_of_the_load(void **state)
{
    (void)state;
    expect_text("{today}", "2026-11-22");
    expect_text("{today-400d}", "2025-10-18");
    expect_text("{today+1d}", "2026-11-23");
    expect_text("{today+24m}", "2028-11-22");
    expect_text("{today-1y}", "2025-11-22");
    expect_text("{today-400d+25m}", "2027-11-18");
    expect_text("{today+70d}", "2027-01-31");
    expect_text("{today+70d+1m}", "2027-02-28");
    expect_text("{today+70d-2m}", "2026-11-30");
    expect_text("{today+465d}", "2028-03-01");
    expect_text("{today+464d+12m}", "2029-02-28");
}

static void
what_is_no_date_is_refused(void **state)
{
    (void)state;
    expect_failure("{today", CODE_INVALID_ARGUMENT);
    expect_failure("{today-}", CODE_INVALID_ARGUMENT);
    expect_failure("{today-3}", CODE_INVALID_ARGUMENT);
    expect_failure("{today-3w}", CODE_INVALID_ARGUMENT);
    expect_failure("{today+99999999999999d}", CODE_INVALID_ARGUMENT);
    expect_failure("{today-20000m}", CODE_INVALID_ARGUMENT);
}

static void
everything_in_a_request_is_filled_in_and_the_rest_stays(void **state)
{
    json_t *from = parse("{\"a\": [\"@x\", 3, true, null], \"b\": {\"c\": \"{today}\"},"
                         " \"d\": \"{password}\", \"e\": \"mail@x\"}");
    json_t *wanted = parse("{\"a\": [\"first\", 3, true, null], \"b\": {\"c\": \"2026-11-22\"},"
                           " \"d\": \"a passphrase\", \"e\": \"mail@x\"}");
    json_t *filled;

    (void)state;
    assert_int_equal(demo_values_fill(&values, &arena, from, &filled).code, CODE_OK);
    assert_true(json_equal(filled, wanted));
    json_decref(filled);
    json_decref(from);
    from = parse("{\"a\": [{\"b\": \"@nobody\"}]}");
    assert_int_equal(demo_values_fill(&values, &arena, from, &filled).code,
                     CODE_FAILED_PRECONDITION);
    json_decref(from);
    json_decref(wanted);
}

/* What make_steps.py made: every line is a step with a name of its own. */
static void
the_steps_in_the_program_have_names_of_their_own(void **state)
{
    const char *at = (const char *)demo_steps, *end = at + demo_steps_size;
    json_t *seen = json_object();
    size_t count = 0;

    (void)state;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        json_error_t error;
        json_t *step;
        const char *id;

        assert_non_null(stop);
        step = json_loadb(at, (size_t)(stop - at), JSON_REJECT_DUPLICATES, &error);
        assert_non_null(step);
        id = json_string_value(json_object_get(step, "id"));
        assert_non_null(id);
        assert_true(json_is_string(json_object_get(step, "call")));
        assert_true(json_is_object(json_object_get(step, "request")));
        assert_null(json_object_get(seen, id));
        assert_int_equal(json_object_set_new(seen, id, json_true()), 0);
        json_decref(step);
        at = stop + 1;
        count++;
    }
    assert_true(count > 300);
    json_decref(seen);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_stands_for_the_id_of_what_the_step_made),
        cmocka_unit_test(a_version_is_the_latest_that_any_step_has_seen),
        cmocka_unit_test(a_resource_without_a_version_has_none),
        cmocka_unit_test(things_of_a_list_are_named_by_a_key),
        cmocka_unit_test(the_first_of_a_name_keeps_it),
        cmocka_unit_test(dates_are_counted_from_the_day_of_the_load),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(everything_in_a_request_is_filled_in_and_the_rest_stays),
        cmocka_unit_test(the_steps_in_the_program_have_names_of_their_own),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
