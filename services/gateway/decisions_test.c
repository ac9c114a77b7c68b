/* The small decisions: foreign pages, traces, entity tags, rates. */

#include "common/base/test.h"

#include <string.h>

#include "services/gateway/answers.h"
#include "services/gateway/csrf.h"
#include "services/gateway/limit.h"
#include "services/gateway/trace.h"

static void
only_our_own_pages_may_use_a_cookie(void **context)
{
    static const struct {
        const char *site, *origin, *host, *url;
        bool allowed;
    } cases[] = {
        {NULL, NULL, "s.example", "https://s.example", true},
        {"same-origin", NULL, "s.example", "https://s.example", true},
        {"same-origin", "https://s.example", "s.example", "https://s.example", true},
        {NULL, "https://S.example", "s.example", "https://s.example", true},
        {"same-site", NULL, "s.example", "https://s.example", false},
        {"cross-site", "https://s.example", "s.example", "https://s.example", false},
        {"none", NULL, "s.example", "https://s.example", false},
        {NULL, "null", "s.example", "https://s.example", false},
        {NULL, "http://s.example", "s.example", "https://s.example", false},
        {NULL, "https://s.example.evil", "s.example.evil", "https://s.example", false},
        {NULL, "https://evil.example", "evil.example", "https://s.example", false},
        {NULL, "http://127.0.0.1:9", "127.0.0.1:9", "http://127.0.0.1:8080", true},
        {NULL, "http://localhost:9", "127.0.0.1:9", "http://127.0.0.1:8080", false},
        {NULL, "http://localhost.evil:9", "localhost.evil:9", "http://127.0.0.1:8080", false},
        {NULL, "http://127.0.0.1:9", "127.0.0.1:9", "https://s.example", false},
        {NULL, "http://127.0.0.1:9", NULL, "http://127.0.0.1:8080", false},
    };

    (void)context;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct csrf_request request = {cases[i].site, cases[i].origin, cases[i].host,
                                             cases[i].url};

        if (csrf_allowed(&request) != cases[i].allowed)
            fail_msg("case %zu", i);
    }
}

static void
a_valid_trace_goes_on_with_a_new_span(void **context)
{
    const char *given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    char made[TRACEPARENT_BYTES], again[TRACEPARENT_BYTES], id[TRACE_ID_BYTES];

    (void)context;
    trace_continue(given, made, id);
    assert_true(trace_valid(made));
    assert_string_equal(id, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_memory_equal(made, given, 36);
    assert_memory_not_equal(made + 36, given + 36, 16);
    assert_string_equal(made + 53, "00");
    trace_continue(NULL, made, id);
    trace_continue("garbage", again, id);
    assert_true(trace_valid(made) && trace_valid(again));
    assert_string_not_equal(made, again);
}

static void
a_malformed_trace_is_not_valid(void **context)
{
    static const char *const traces[] = {
        "",
        "00",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-00",
        "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-"};

    (void)context;
    for (size_t i = 0; i < COUNT_OF(traces); i++)
        assert_false(trace_valid(traces[i]));
}

static void
entity_tags_are_compared_weakly_and_whole(void **context)
{
    (void)context;
    assert_true(etag_matches("\"7\"", "\"7\""));
    assert_true(etag_matches("W/\"7\"", "\"7\""));
    assert_true(etag_matches("\"1\" , W/\"2\",\"7\"", "\"7\""));
    assert_true(etag_matches("*", "\"7\""));
    assert_false(etag_matches(NULL, "\"7\""));
    assert_false(etag_matches("", "\"7\""));
    assert_false(etag_matches("7", "\"7\""));
    assert_false(etag_matches("\"77\"", "\"7\""));
    assert_false(etag_matches("\"a, \"7", "\"7\""));
    assert_false(etag_matches("\"", "\"7\""));
    assert_false(etag_matches("W/", "\"7\""));
}

static void
a_bucket_empties_and_fills_again(void **context)
{
    struct limits *limits;
    const struct limit limit = {10, 1000, 5};
    struct mono now = {1000000000};
    uint32_t left, retry_ms;

    (void)context;
    assert_false(failed(limits_create(NULL, &limits)));
    for (uint32_t i = 5; i-- > 0;) {
        assert_true(limits_take(limits, 'a', "one", 3, limit, now, &left, &retry_ms));
        assert_int_equal(left, i);
    }
    assert_false(limits_take(limits, 'a', "one", 3, limit, now, &left, &retry_ms));
    assert_in_range(retry_ms, 100, 102);
    assert_true(limits_take(limits, 'a', "two", 3, limit, now, &left, &retry_ms));
    assert_true(limits_take(limits, 'b', "one", 3, limit, now, &left, &retry_ms));
    now = mono_add_ms(now, 101);
    assert_true(limits_take(limits, 'a', "one", 3, limit, now, &left, &retry_ms));
    assert_false(limits_take(limits, 'a', "one", 3, limit, now, &left, &retry_ms));
    now = mono_add_ms(now, 3600000);
    assert_true(limits_take(limits, 'a', "one", 3, limit, now, &left, &retry_ms));
    assert_int_equal(left, 4);
    limits_destroy(&limits);
}

static void
a_greedy_caller_stays_limited_among_many_strangers(void **context)
{
    struct limits *limits;
    const struct limit limit = {1, 1000, 2};
    struct mono now = {1000000000};
    uint32_t left, retry_ms;
    unsigned taken = 0;

    (void)context;
    assert_false(failed(limits_create(NULL, &limits)));
    for (int i = 0; i < 2000; i++) {
        char stranger[16];
        const int size = snprintf(stranger, sizeof stranger, "s%d", i);

        now.ns += 1000;
        (void)limits_take(limits, 'a', stranger, (size_t)size, limit, now, &left, &retry_ms);
        taken += limits_take(limits, 'a', "greedy", 6, limit, now, &left, &retry_ms);
    }
    assert_int_equal(taken, 2);
    limits_destroy(&limits);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_our_own_pages_may_use_a_cookie),
        cmocka_unit_test(a_valid_trace_goes_on_with_a_new_span),
        cmocka_unit_test(a_malformed_trace_is_not_valid),
        cmocka_unit_test(entity_tags_are_compared_weakly_and_whole),
        cmocka_unit_test(a_bucket_empties_and_fills_again),
        cmocka_unit_test(a_greedy_caller_stays_limited_among_many_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
