#include "common/base/log.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/test.h"

static FILE *file;
static long read_to;

static int
open_file(void **state)
{
    (void)state;
    file = tmpfile();
    if (!file)
        return -1;
    read_to = 0;
    log_set_fd(fileno(file));
    log_init("registry", "host-1", LOG_INFO_LEVEL);
    log_context(NULL, NULL, NULL);
    return 0;
}

static int
close_file(void **state)
{
    (void)state;
    log_set_fd(STDOUT_FILENO);
    return fclose(file);
}

/* The next line as JSON; NULL: there is none.  A line that is not JSON fails the test. */
static json_t *
next_line(void)
{
    static char line[200000];
    json_error_t error;
    json_t *object;

    fseek(file, read_to, SEEK_SET);
    if (!fgets(line, sizeof line, file))
        return NULL;
    read_to = ftell(file);
    assert_int_equal(line[strlen(line) - 1], '\n');
    object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        fail_msg("not JSON: %s in %s", error.text, line);
    return object;
}

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void
a_line_has_its_head_and_typed_fields(void **state)
{
    char name[] = "not const";
    json_t *line;

    (void)state;
    log_info("worker enrolled", KV("worker", "w1"), KV("lease_ms", 5000),
             KV("bytes", (size_t)7), KV("ratio", 0.1), KV("first", (bool)true),
             KV("least", INT64_MIN), KV("most", (uint64_t)INT64_MAX), KV("name", name));
    line = next_line();
    assert_non_null(line);
    assert_string_equal(text_of(line, "event"), "worker enrolled");
    assert_string_equal(text_of(line, "level"), "info");
    assert_string_equal(text_of(line, "service"), "registry");
    assert_string_equal(text_of(line, "instance"), "host-1");
    assert_int_equal(strlen(text_of(line, "time")), 24);
    assert_string_equal(text_of(line, "worker"), "w1");
    assert_string_equal(text_of(line, "name"), "not const");
    assert_int_equal(json_integer_value(json_object_get(line, "lease_ms")), 5000);
    assert_int_equal(json_integer_value(json_object_get(line, "bytes")), 7);
    assert_true(json_integer_value(json_object_get(line, "least")) == INT64_MIN);
    assert_true(json_integer_value(json_object_get(line, "most")) == INT64_MAX);
    assert_true(json_is_true(json_object_get(line, "first")));
    assert_true(json_real_value(json_object_get(line, "ratio")) == 0.1);
    assert_null(json_object_get(line, "request_id"));
    json_decref(line);
    assert_null(next_line());
}

static void
the_context_belongs_to_the_call_and_its_thread(void **state)
{
    json_t *line;

    (void)state;
    log_context("r-1", "t-1", "registry.v1.Needs/Publish");
    log_info("inside");
    log_context(NULL, NULL, NULL);
    log_info("outside");
    line = next_line();
    assert_string_equal(text_of(line, "request_id"), "r-1");
    assert_string_equal(text_of(line, "trace_id"), "t-1");
    assert_string_equal(text_of(line, "method"), "registry.v1.Needs/Publish");
    json_decref(line);
    line = next_line();
    assert_null(json_object_get(line, "method"));
    json_decref(line);
}

static void
lines_below_the_level_are_left_out(void **state)
{
    enum log_level level = LOG_ERROR_LEVEL;
    json_t *line;

    (void)state;
    log_debug("quiet", KV("a", 1));
    assert_null(next_line());
    assert_true(log_level_parse("warn", &level));
    assert_int_equal(level, LOG_WARN_LEVEL);
    assert_false(log_level_parse("WARN", &level));
    assert_false(log_level_parse("", &level));
    log_init("registry", "host-1", level);
    log_info("still quiet");
    assert_null(next_line());
    log_error("loud");
    line = next_line();
    assert_string_equal(text_of(line, "level"), "error");
    json_decref(line);
}

static void
hostile_values_stay_one_line_of_json(void **state)
{
    static char huge[100000];
    const char *nothing = NULL;
    json_t *line;

    (void)state;
    memset(huge, '\n', sizeof huge - 1);
    log_info("hostile", KV("text", "a\n{\"level\":\"error\"}\x1b[31m\"\\"),
             KV("bad", "\xFF\xC3"), KV("none", nothing), KV("nan", (double)NAN),
             KV("inf", (double)INFINITY), KV("huge", huge), KV("last", 1));
    line = next_line();
    assert_string_equal(text_of(line, "text"), "a\n{\"level\":\"error\"}\x1b[31m\"\\");
    assert_string_equal(text_of(line, "bad"), "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_true(json_is_null(json_object_get(line, "none")));
    assert_true(json_is_null(json_object_get(line, "nan")));
    assert_true(json_is_null(json_object_get(line, "inf")));
    assert_int_equal(json_string_length(json_object_get(line, "huge")), 4096);
    assert_int_equal(json_integer_value(json_object_get(line, "last")), 1);
    json_decref(line);
    assert_null(next_line());
}

static void
a_line_with_too_much_says_that_it_was_cut(void **state)
{
    struct kv fields[40];
    char big[4097], keys[40][4];
    json_t *line;

    (void)state;
    memset(big, '\x01', sizeof big - 1); /* six bytes each as JSON */
    big[sizeof big - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(fields) - 1; i++) {
        snprintf(keys[i], sizeof keys[i], "k%zu", i);
        fields[i] = kv_str(keys[i], big);
    }
    fields[COUNT_OF(fields) - 1] = (struct kv){0};
    log_fields(LOG_WARN_LEVEL, "much", fields);
    line = next_line();
    assert_true(json_is_true(json_object_get(line, "cut")));
    assert_non_null(json_object_get(line, "k1"));
    assert_null(json_object_get(line, "k38"));
    json_decref(line);
}

static void *
log_a_thousand(void *argument)
{
    char id[16];

    snprintf(id, sizeof id, "thread-%d", *(int *)argument);
    log_context(id, NULL, NULL);
    for (int i = 0; i < 1000; i++)
        log_info("crowd", KV("thread", id), KV("i", i));
    return NULL;
}

static void
threads_do_not_mix_their_lines(void **state)
{
    pthread_t threads[4];
    int numbers[4];
    json_t *line;
    int count = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, log_a_thousand, &numbers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    while ((line = next_line())) {
        assert_string_equal(text_of(line, "thread"), text_of(line, "request_id"));
        json_decref(line);
        count++;
    }
    assert_int_equal(count, 4000);
}

static void
a_closed_output_does_no_harm(void **state)
{
    (void)state;
    log_set_fd(-1);
    log_info("into the void");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_its_head_and_typed_fields, open_file,
                                        close_file),
        cmocka_unit_test_setup_teardown(the_context_belongs_to_the_call_and_its_thread,
                                        open_file, close_file),
        cmocka_unit_test_setup_teardown(lines_below_the_level_are_left_out, open_file,
                                        close_file),
        cmocka_unit_test_setup_teardown(hostile_values_stay_one_line_of_json, open_file,
                                        close_file),
        cmocka_unit_test_setup_teardown(a_line_with_too_much_says_that_it_was_cut, open_file,
                                        close_file),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_their_lines, open_file, close_file),
        cmocka_unit_test_setup_teardown(a_closed_output_does_no_harm, open_file, close_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
