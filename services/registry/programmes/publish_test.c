/* Publishing, with the store replaced at link time. */

#include "services/registry/programmes/publish.h"

#include <string.h>

#include "common/base/test.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/programmes/store.h"
#include "services/registry/registry.h"

static struct arena arena;
static struct registry_state state;
static struct call the_call = {.arena = &arena, .state = &state};
static struct outbox_event events[16];
static size_t event_count;

/* What the store holds and was asked. */
static const char *host;
static struct published_rule_set kept[16];
static size_t kept_count;
static bool lost_race;
static const char *begun_as;

struct status
store_host_tenant(struct pg_tx *tx, struct arena *memory, const char **ret_tenant_id)
{
    (void)tx;
    (void)memory;
    *ret_tenant_id = host;
    return OK;
}

struct status
store_published(struct pg_tx *tx, struct arena *memory, struct published_rule_set **ret,
                size_t *ret_count)
{
    (void)tx;
    (void)memory;
    *ret = kept;
    *ret_count = kept_count;
    return OK;
}

struct status
store_publish(struct pg_tx *tx, const struct rule_set *set, bool *ret_new)
{
    (void)tx;
    *ret_new = !lost_race;
    if (!lost_race)
        kept[kept_count++] = (struct published_rule_set){set->name, set->checksum};
    return OK;
}

struct status
call_begin(struct call *call, const char *tenant_id, bool read_only, struct pg_tx *tx)
{
    (void)read_only;
    begun_as = tenant_id;
    call->tx = tx;
    return OK;
}

struct status
call_commit(struct call *call)
{
    (void)call;
    return OK;
}

struct status
call_emit(struct call *call, struct outbox_event event)
{
    (void)call;
    assert_in_range(event_count, 0, COUNT_OF(events) - 1);
    events[event_count++] = event;
    return OK;
}

static int
begin(void **unused)
{
    (void)unused;
    event_count = 0;
    host = "0193a000-0000-7000-8000-000000000002";
    kept_count = 0;
    lost_race = false;
    begun_as = NULL;
    return 0;
}

static void
each_rule_set_is_published_once_as_the_host(void **unused)
{
    const size_t count = programmes_count(state.programmes);

    (void)unused;
    assert_false(failed(programmes_publish(&the_call)));
    assert_int_equal(event_count, count);
    assert_string_equal(begun_as, host);
    assert_string_equal(events[0].audience, "public");
    assert_string_equal(events[0].subject, programmes_at(state.programmes, 0)->name);
    assert_false(failed(programmes_publish(&the_call)));
    assert_int_equal(event_count, count);
}

static void
nothing_is_published_before_there_is_a_host(void **unused)
{
    (void)unused;
    host = "";
    assert_false(failed(programmes_publish(&the_call)));
    assert_int_equal(event_count, 0);
    assert_int_equal(kept_count, 0);
}

static void
the_slower_of_two_instances_announces_nothing(void **unused)
{
    (void)unused;
    lost_race = true;
    assert_false(failed(programmes_publish(&the_call)));
    assert_int_equal(event_count, 0);
}

static void
a_document_that_changed_after_publishing_is_refused(void **unused)
{
    struct status status;

    (void)unused;
    kept[0] = (struct published_rule_set){programmes_at(state.programmes, 0)->name, "other"};
    kept_count = 1;
    status = programmes_publish(&the_call);
    assert_int_equal(status.code, CODE_FAILED_PRECONDITION);
    assert_non_null(strstr(status.detail, "needs a new version"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_rule_set_is_published_once_as_the_host, begin),
        cmocka_unit_test_setup(nothing_is_published_before_there_is_a_host, begin),
        cmocka_unit_test_setup(the_slower_of_two_instances_announces_nothing, begin),
        cmocka_unit_test_setup(a_document_that_changed_after_publishing_is_refused, begin),
    };
    int result;

    arena_init(&arena, ARENA_CALL_BYTES);
    if (failed(programmes_create(&arena, &state.programmes)))
        return 1;
    result = cmocka_run_group_tests(tests, NULL, NULL);
    programmes_destroy(&state.programmes);
    arena_fini(&arena);
    return result;
}
