#include "common/base/setting.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/test.h"

struct test_settings {
#include "common/base/setting_members.h"
#include "common/base/setting_test.def"
#include "common/base/setting_end.h"
};

static const struct setting table[] = {
#define SETTING_STRUCT struct test_settings
#include "common/base/setting_table.h"
#include "common/base/setting_test.def"
#include "common/base/setting_end.h"
    {0},
};

static struct arena arena;
static struct test_settings values;
static const struct setting_set sets[] = {{table, &values}, {0}};
static char path[] = "/tmp/setting_test.XXXXXX";

static int
start(void **state)
{
    const int fd = mkstemp(path);

    (void)state;
    arena_init(&arena, 1 << 20);
    return fd < 0 ? -1 : close(fd);
}

static int
stop(void **state)
{
    (void)state;
    arena_fini(&arena);
    return unlink(path);
}

static void
write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct status
load(const char *file, const char *first, const char *second)
{
    const char *const environment[] = {"PATH=/bin", "SAMVERKA_TEST_PG_HOST=/tmp", first, second,
                                       NULL};

    return setting_load(sets, file, (char *const *)(uintptr_t)environment, &arena);
}

static void
assert_refused(struct status status, const char *field)
{
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, field);
}

static void
defaults_hold_when_nothing_else_is_said(void **state)
{
    (void)state;
    memset(&values, 0xEE, sizeof values);
    assert_false(failed(load(NULL, NULL, NULL)));
    assert_int_equal(values.workers, 4);
    assert_true(values.curve);
    assert_string_equal(values.rpc_bind, "tcp://127.0.0.1:*");
    assert_string_equal(values.pg_password, "");
}

static void
the_file_beats_defaults_and_the_environment_beats_the_file(void **state)
{
    (void)state;
    write_file(
        "# a comment\n\n  workers = 8 \r\nrpc_bind=tcp://[::1]:5 # not a comment\ncurve = no");
    assert_false(failed(load(path, "SAMVERKA_WORKERS=16", NULL)));
    assert_int_equal(values.workers, 16);
    assert_false(values.curve);
    assert_string_equal(values.rpc_bind, "tcp://[::1]:5 # not a comment");
}

static void
a_secret_comes_from_the_first_line_of_a_file(void **state)
{
    char variable[100];

    (void)state;
    write_file("  s3cret = # \nsecond line\n");
    snprintf(variable, sizeof variable, "SAMVERKA_PG_PASSWORD_FILE=%s", path);
    assert_false(failed(load(NULL, variable, NULL)));
    assert_string_equal(values.pg_password, "  s3cret = # ");
    write_file("");
    assert_false(failed(load(NULL, variable, NULL)));
    assert_string_equal(values.pg_password, "");
    assert_refused(load(NULL, variable, "SAMVERKA_PG_PASSWORD=x"), "pg_password");
    assert_refused(load(NULL, "SAMVERKA_PG_PASSWORD_FILE=/no/such/file", NULL), "pg_password");
}

static void
a_setting_whose_name_ends_in_file_is_itself(void **state)
{
    (void)state;
    assert_false(failed(load(NULL, "SAMVERKA_KEY_FILE=/x", NULL)));
    assert_string_equal(values.key_file, "/x");
    assert_refused(load(NULL, "SAMVERKA_KEY_FILE_FILE=/no/such/file", NULL), "key_file");
}

static void
unknown_names_are_refused(void **state)
{
    struct status status;

    (void)state;
    assert_refused(load(NULL, "SAMVERKA_WORKER=1", NULL), "SAMVERKA_WORKER");
    assert_refused(load(NULL, "SAMVERKA_workers=1", NULL), "SAMVERKA_workers");
    assert_refused(load(NULL, "SAMVERKA_=1", NULL), "SAMVERKA_");
    assert_refused(load(NULL, "SAMVERKA__FILE=1", NULL), "SAMVERKA__FILE");
    write_file("workers = 2\nwrokers = 3\n");
    status = load(path, NULL, NULL);
    assert_refused(status, "wrokers");
    assert_non_null(strstr(status.detail, "line 2"));
    write_file("workers\n");
    assert_refused(load(path, NULL, NULL), "workers");
    assert_refused(load("/no/such/file", NULL, NULL), "settings-file");
}

static void
values_out_of_bounds_are_refused_and_never_repeated(void **state)
{
    static const char *const bad[] = {
        "0", "65", "-1", "", " 4", "4 ", "0x4", "4k", "99999999999999999999"};
    char variable[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        snprintf(variable, sizeof variable, "SAMVERKA_WORKERS=%s", bad[i]);
        assert_refused(load(NULL, variable, NULL), "workers");
    }
    assert_refused(load(NULL, "SAMVERKA_CURVE=maybe", NULL), "curve");
    assert_refused(load(NULL, "SAMVERKA_PG_PASSWORD=\xFFhush", NULL), "pg_password");
    assert_null(strstr(load(NULL, "SAMVERKA_PG_PASSWORD=\xFFhush", NULL).detail, "hush"));
    assert_false(failed(load(NULL, "SAMVERKA_WORKERS=64", NULL)));
    assert_int_equal(values.workers, 64);
}

static void
a_line_that_is_too_long_is_refused(void **state)
{
    static char line[6000];

    (void)state;
    memset(line, 'x', sizeof line - 1);
    memcpy(line, "rpc_bind = ", 11);
    write_file(line);
    assert_refused(load(path, NULL, NULL), "settings-file");
}

static char *
printed(void (*print)(const struct setting_set *sets, FILE *out))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    print(sets, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void
printing_shows_every_setting_and_no_secret(void **state)
{
    char *text;

    (void)state;
    assert_false(failed(load(NULL, "SAMVERKA_PG_PASSWORD=hush", NULL)));
    text = printed(setting_print);
    assert_non_null(strstr(text, "# handlers that run side by side\nworkers = 4"));
    assert_non_null(strstr(text, "pg_password = (set)\n"));
    assert_null(strstr(text, "hush"));
    free(text);
    assert_false(failed(load(NULL, NULL, NULL)));
    text = printed(setting_print);
    assert_non_null(strstr(text, "pg_password = (empty)\n"));
    free(text);
    text = printed(setting_print_markdown);
    assert_non_null(strstr(text, "| `workers` | `SAMVERKA_WORKERS` | `4` | 1 to 64 threads | "
                                 "handlers that run side by side |\n"));
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_when_nothing_else_is_said),
        cmocka_unit_test(the_file_beats_defaults_and_the_environment_beats_the_file),
        cmocka_unit_test(a_secret_comes_from_the_first_line_of_a_file),
        cmocka_unit_test(a_setting_whose_name_ends_in_file_is_itself),
        cmocka_unit_test(unknown_names_are_refused),
        cmocka_unit_test(values_out_of_bounds_are_refused_and_never_repeated),
        cmocka_unit_test(a_line_that_is_too_long_is_refused),
        cmocka_unit_test(printing_shows_every_setting_and_no_secret),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
