#include "common/base/test.h"

#include <string.h>

#include "registry/v1/organisations.pb-c.h"
#include "services/gateway/route.h"

static struct arena arena;
static struct routes *routes;

static int
setup(void **context)
{
    (void)context;
    arena_init(&arena, ARENA_CALL_BYTES);
    return failed(routes_create(&arena, &routes)) ? -1 : 0;
}

static int
teardown(void **context)
{
    (void)context;
    routes_destroy(&routes);
    arena_fini(&arena);
    return 0;
}

static struct status
find(enum http_method method, const char *path, const struct route **ret,
     struct route_values *values, const char **allow)
{
    *ret = NULL;
    *allow = NULL;
    return routes_find(routes, method, path, &arena, ret, values, allow);
}

static void
a_path_with_variables_finds_its_route_and_decoded_values(void **context)
{
    const struct route *route;
    struct route_values values;
    const char *allow;

    (void)context;
    assert_false(failed(
        find(HTTP_GET, "/v1/concepts/http%3A%2F%2Fa%2Fb%20%C3%A5+c", &route, &values, &allow)));
    assert_string_equal(route->line.rpc, "registry.v1.Concepts/GetConcept");
    assert_string_equal(values.text[0], "http://a/b \xc3\xa5+c");
    assert_false(
        failed(find(HTTP_POST, "/v1/placements/p1/sign-contract", &route, &values, &allow)));
    assert_string_equal(route->line.rpc, "registry.v1.Placements/SignContract");
    assert_string_equal(values.text[0], "p1");
}

static void
what_is_nearly_a_path_is_not_found(void **context)
{
    static const char *const paths[] = {"/v1/organisations/",
                                        "/v1/organisation",
                                        "/v1/needs/a/b",
                                        "/v1/needs//publish",
                                        "/v1",
                                        "/v1/needs/a/publish/",
                                        "/v1/needs/a/pub",
                                        "//",
                                        "",
                                        "/v1/organisations/a/relations/b"};
    const struct route *route;
    struct route_values values;
    const char *allow;

    (void)context;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_int_equal(find(HTTP_GET, paths[i], &route, &values, &allow).code,
                         CODE_UNIMPLEMENTED);
}

static void
another_method_is_told_what_the_path_answers_to(void **context)
{
    const struct route *route;
    struct route_values values;
    const char *allow;

    (void)context;
    assert_int_equal(find(HTTP_DELETE, "/v1/needs", &route, &values, &allow).code,
                     CODE_METHOD_NOT_ALLOWED);
    assert_string_equal(allow, "GET, POST");
    assert_int_equal(find(HTTP_OTHER, "/v1/needs/x", &route, &values, &allow).code,
                     CODE_METHOD_NOT_ALLOWED);
    assert_string_equal(allow, "GET, PATCH");
}

static void
bad_escapes_are_refused(void **context)
{
    static const char *const paths[] = {"/v1/needs/%",   "/v1/needs/%4",
                                        "/v1/needs/%zz", "/v1/needs/%00",
                                        "/v1/needs/%ff", "/v1/needs/%ed%a0%80"};
    const struct route *route;
    struct route_values values;
    const char *allow, *text;

    (void)context;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_int_equal(find(HTTP_GET, paths[i], &route, &values, &allow).code,
                         CODE_INVALID_ARGUMENT);
    assert_false(failed(percent_decode("a+b%2B", 6, true, &arena, &text)));
    assert_string_equal(text, "a b+");
}

static void
a_route_knows_what_it_takes_from_where(void **context)
{
    const struct route *route;
    struct route_values values;
    const char *allow;

    (void)context;
    assert_false(failed(find(HTTP_PATCH, "/v1/organisations/x", &route, &values, &allow)));
    assert_true(json_fields_has(&route->closed, (unsigned)route->variable_fields[0]));
    assert_true(json_fields_has(&route->closed, (unsigned)route->expected_version));
    assert_true(json_fields_has(&route->closed, (unsigned)route->update_fields));
    assert_int_equal(route->resource, 0);
    assert_false(route->list);
    assert_int_equal(route->access, ROUTE_SIGNED_IN);

    assert_false(failed(find(HTTP_GET, "/v1/organisations", &route, &values, &allow)));
    assert_true(route->list && route->page_size >= 0 && route->page_token >= 0);
    assert_false(failed(find(HTTP_GET, "/v1/tenants", &route, &values, &allow)));
    assert_int_equal(route->access, ROUTE_PUBLIC);
}

static void
every_route_is_bound_and_only_reads_are_stored(void **context)
{
    const struct route *route;
    size_t count = 0;

    (void)context;
    for (; (route = routes_at(routes, count)); count++) {
        assert_true((route->line.rpc != NULL) != (route->line.own != NULL));
        if (route->line.cached_until)
            assert_true(route->line.kind == ROUTE_READS && route->line.method == HTTP_GET);
        if (route->line.rpc && route->contract->transaction == WIRE__V1__TRANSACTION__WRITE)
            assert_int_equal(route->line.kind, ROUTE_WRITES);
    }
    assert_true(count > 60);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_with_variables_finds_its_route_and_decoded_values),
        cmocka_unit_test(what_is_nearly_a_path_is_not_found),
        cmocka_unit_test(another_method_is_told_what_the_path_answers_to),
        cmocka_unit_test(bad_escapes_are_refused),
        cmocka_unit_test(a_route_knows_what_it_takes_from_where),
        cmocka_unit_test(every_route_is_bound_and_only_reads_are_stored),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
