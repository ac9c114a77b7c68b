/* Fails each allocation in turn: whatever fails, the answer is a status or a broken buffer,
 * never a crash, a leak or half a result. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/lang.h"
#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/base/setting.h"
#include "common/base/test.h"
#include "common/base/utf8.h"

/* Allocations until the one that fails; below zero: none does. */
static int until_failure = -1;
static bool failed_one;

/* Names that the linker's --wrap asks for. */
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool
fails_now(void)
{
    if (until_failure < 0 || until_failure-- > 0)
        return false;
    failed_one = true;
    return true;
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
    return fails_now() ? NULL : __real_realloc(memory, size);
}

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

/* Runs `scenario` with the first, second, ... allocation failing until it needs no more. */
static void
torture(bool (*scenario)(void))
{
    int count = 0;

    do {
        bool succeeded;

        failed_one = false;
        until_failure = count++;
        succeeded = scenario();
        until_failure = -1;
        assert_int_equal(succeeded, !failed_one);
        assert_true(count < 1000);
    } while (failed_one);
    assert_true(count > 1); /* something was made to fail */
}

static bool
texts_in_an_arena(void)
{
    scoped(arena_fini) struct arena arena;
    const struct text_value value = {"n", "1"};
    bool all = true;

    arena_init(&arena, 8 << 20);
    for (int i = 0; i < 40; i++) {
        all &= arena_printf(&arena, "%20000d", i) != NULL;
        all &= utf8_fold(&arena, "ÅÄÖ") != NULL;
        all &= utf8_trim(&arena, " x ") != NULL;
        all &= text_fill(&arena, "{n} av {n}", &value, 1) != NULL;
    }
    return all;
}

static bool
a_growing_buffer(void)
{
    scoped(buffer_fini) struct buffer buffer;

    buffer_init(&buffer, 1 << 20);
    for (int i = 0; i < 2000; i++) {
        buffer_printf(&buffer, "%d,%300d", i, i);
        buffer_put_json(&buffer, "\n", 1);
    }
    assert_true(buffer.size <= buffer.limit_bytes);
    return !failed(buffer_check(&buffer, NULL));
}

static bool
settings_that_are_loaded(void)
{
    scoped(arena_fini) struct arena arena;
    struct test_settings values;
    const struct setting_set sets[] = {{table, &values}, {0}};
    char variable[] = "SAMVERKA_RPC_BIND=tcp://127.0.0.1:1";
    char *const environment[] = {variable, NULL};
    struct status status;

    arena_init(&arena, 1 << 20);
    status = setting_load(sets, NULL, environment, &arena);
    if (failed(status))
        assert_int_equal(status.code, CODE_RESOURCE_EXHAUSTED);
    return !failed(status);
}

static bool
a_page_of_metrics(void)
{
    static struct metric metric =
        METRIC("torture_total", METRIC_COUNTER, "counted", "who", NULL);
    scoped(buffer_fini) struct buffer page;
    static char who[8];

    who[0]++; /* a new series each time */
    buffer_init(&page, 1 << 20);
    metric_add(&metric, who, NULL, 1);
    log_error("logged", KV("who", who));
    metric_render("x", &page);
    return !failed_one && !page.broken && strstr((char *)page.data, "torture_total") != NULL;
}

static void
texts_survive_every_failure(void **state)
{
    (void)state;
    torture(texts_in_an_arena);
}

static void
buffers_survive_every_failure(void **state)
{
    (void)state;
    torture(a_growing_buffer);
}

static void
settings_survive_every_failure(void **state)
{
    (void)state;
    torture(settings_that_are_loaded);
}

static void
logs_and_metrics_survive_every_failure(void **state)
{
    (void)state;
    log_set_fd(-1);
    torture(a_page_of_metrics);
    log_set_fd(STDOUT_FILENO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_survive_every_failure),
        cmocka_unit_test(buffers_survive_every_failure),
        cmocka_unit_test(settings_survive_every_failure),
        cmocka_unit_test(logs_and_metrics_survive_every_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
