#include "common/base/metric.h"

#include <math.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "common/base/test.h"

static struct metric calls =
    METRIC("rpc_requests_total", METRIC_COUNTER, "calls\nanswered \\ all", "method", "code");
static struct metric depth = METRIC("rpc_queue_depth", METRIC_GAUGE, "waiting", NULL, NULL);
static struct metric latency =
    METRIC("rpc_seconds", METRIC_HISTOGRAM, "time to the answer", "method", NULL);
static struct metric crowded = METRIC("crowd_total", METRIC_COUNTER, "many", "who", NULL);
static struct metric shared = METRIC("shared_total", METRIC_COUNTER, "threads", "who", NULL);

static struct buffer page;

/* The value of the sample that is written exactly so; -1: there is none. */
static double
sample(const char *name)
{
    const size_t size = strlen(name);

    buffer_clear(&page);
    metric_render("my-service", &page);
    for (const char *line = (const char *)page.data; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, name, size) && line[size] == ' ')
            return strtod(line + size, NULL);
    }
    return -1;
}

static void
counters_gauges_and_histograms_count(void **state)
{
    (void)state;
    metric_add(&calls, "Needs/Get", "OK", 1);
    metric_add(&calls, "Needs/Get", "OK", 2);
    metric_add(&calls, "Needs/Get", "NOT_FOUND", 1);
    metric_set(&depth, NULL, NULL, 7.5);
    metric_add(&depth, NULL, NULL, 2);
    metric_observe_seconds(&latency, "Needs/Get", NULL, 0.0004);
    metric_observe_seconds(&latency, "Needs/Get", NULL, 0.003);
    metric_observe_seconds(&latency, "Needs/Get", NULL, 60);
    assert_true(sample("samverka_my_service_rpc_requests_total"
                       "{method=\"Needs/Get\",code=\"OK\"}") == 3);
    assert_true(sample("samverka_my_service_rpc_requests_total"
                       "{method=\"Needs/Get\",code=\"NOT_FOUND\"}") == 1);
    assert_true(sample("samverka_my_service_rpc_queue_depth") == 9.5);
    assert_true(sample("samverka_my_service_rpc_seconds_bucket"
                       "{method=\"Needs/Get\",le=\"0.0005\"}") == 1);
    assert_true(sample("samverka_my_service_rpc_seconds_bucket"
                       "{method=\"Needs/Get\",le=\"0.005\"}") == 2);
    assert_true(sample("samverka_my_service_rpc_seconds_bucket"
                       "{method=\"Needs/Get\",le=\"10\"}") == 2);
    assert_true(sample("samverka_my_service_rpc_seconds_bucket"
                       "{method=\"Needs/Get\",le=\"+Inf\"}") == 3);
    assert_true(sample("samverka_my_service_rpc_seconds_count{method=\"Needs/Get\"}") == 3);
    assert_true(fabs(sample("samverka_my_service_rpc_seconds_sum{method=\"Needs/Get\"}") -
                     60.0034) < 1e-6);
}

static void
odd_observations_do_no_harm(void **state)
{
    (void)state;
    metric_observe_seconds(&latency, "odd", NULL, -1);
    metric_observe_seconds(&latency, "odd", NULL, (double)NAN);
    metric_observe_seconds(&latency, "odd", NULL, (double)INFINITY);
    assert_true(sample("samverka_my_service_rpc_seconds_count{method=\"odd\"}") == 3);
    assert_true(
        sample("samverka_my_service_rpc_seconds_bucket{method=\"odd\",le=\"0.0005\"}") == 2);
}

static void
the_page_is_valid_prometheus_text(void **state)
{
    static const char pattern[] =
        "^(# HELP samverka_my_service_[a-z_]+ [^\n]+"
        "|# TYPE samverka_my_service_[a-z_]+ (counter|gauge|histogram)"
        "|samverka_my_service_[a-z_]+(\\{[a-z]+=\"([^\"\\]|\\\\[\\n\"])*\""
        "(,[a-z]+=\"([^\"\\]|\\\\[\\n\"])*\")*\\})? [0-9.e+-]+)$";
    regex_t regex;
    char *rest = NULL;

    (void)state;
    metric_add(&calls, "a\"b\\c\nd", NULL, 1);
    assert_true(sample("samverka_my_service_rpc_requests_total"
                       "{method=\"a\\\"b\\\\c\\nd\",code=\"\"}") == 1);
    assert_non_null(strstr((const char *)page.data,
                           "# HELP samverka_my_service_rpc_requests_total "
                           "calls\\nanswered \\\\ all\n"
                           "# TYPE samverka_my_service_rpc_requests_total counter\n"));
    assert_int_equal(page.data[page.size - 1], '\n');
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    for (char *line = strtok_r((char *)page.data, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
        if (regexec(&regex, line, 0, NULL, 0))
            fail_msg("not a line of the format: %s", line);
    regfree(&regex);
}

static void
too_many_label_values_are_counted_together(void **state)
{
    char name[16];

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < METRIC_SERIES_MAX + 50; i++) {
            snprintf(name, sizeof name, "w%d", i);
            metric_add(&crowded, name, NULL, 1);
        }
    assert_true(sample("samverka_my_service_crowd_total{who=\"w0\"}") == 2);
    assert_true(sample("samverka_my_service_crowd_total{who=\"w511\"}") == 2);
    assert_true(sample("samverka_my_service_crowd_total{who=\"w512\"}") == -1);
    assert_true(sample("samverka_my_service_crowd_total{who=\"other\"}") == 100);
}

static void *
count_much(void *argument)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

    (void)argument;
    for (int i = 0; i < 8000; i++)
        metric_add(&shared, names[i % 8], NULL, 1);
    return NULL;
}

static void
no_count_of_any_thread_is_lost(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, NULL), 0);
    assert_true(sample("samverka_my_service_no_such_total") == -1); /* reads while they count */
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(sample("samverka_my_service_shared_total{who=\"a\"}") == 4000);
    assert_true(sample("samverka_my_service_shared_total{who=\"h\"}") == 4000);
}

static int
start(void **state)
{
    (void)state;
    buffer_init(&page, 1 << 20);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    buffer_fini(&page);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_gauges_and_histograms_count),
        cmocka_unit_test(odd_observations_do_no_harm),
        cmocka_unit_test(the_page_is_valid_prometheus_text),
        cmocka_unit_test(too_many_label_values_are_counted_together),
        cmocka_unit_test(no_count_of_any_thread_is_lost),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
