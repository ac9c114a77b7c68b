#include "services/events/recent.h"

#include <stdio.h>

#include "services/events/test_sample.h"

static struct arena arena;
static struct recent *recent;

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    assert_ok(recent_create(&recent));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    recent_destroy(&recent);
    arena_fini(&arena);
    return 0;
}

static struct bytes
text(const char *bytes)
{
    return (struct bytes){(const uint8_t *)bytes, strlen(bytes)};
}

static struct packed_event
named(const char *source, const char *id)
{
    return (struct packed_event){.source = text(source), .id = text(id)};
}

static void
the_same_id_is_known_by_its_content(void **state)
{
    const struct packed_event parts = named("/crm", "1");

    (void)state;
    assert_int_equal(recent_look(recent, &parts, text("content")), RECENT_NEW);
    assert_true(recent_add(recent, &parts, text("content")));
    assert_int_equal(recent_look(recent, &parts, text("content")), RECENT_SAME);
    assert_int_equal(recent_look(recent, &parts, text("another")), RECENT_OTHER);
}

static void
what_is_undone_was_never_known(void **state)
{
    const struct packed_event kept = named("/crm", "1");
    const struct packed_event undone = named("/crm", "2");

    (void)state;
    assert_true(recent_add(recent, &kept, text("content")));
    assert_true(recent_add(recent, &undone, text("content")));
    assert_false(recent_add(recent, &undone, text("content")));
    recent_undo(recent, 1);
    assert_int_equal(recent_look(recent, &kept, text("content")), RECENT_SAME);
    assert_int_equal(recent_look(recent, &undone, text("content")), RECENT_NEW);
}

static void
source_and_id_together_make_the_name(void **state)
{
    const struct packed_event one = named("/a", "bc");
    const struct packed_event other_source = named("/b", "bc");
    const struct packed_event other_cut = named("/ab", "c");

    (void)state;
    assert_true(recent_add(recent, &one, text("content")));
    assert_int_equal(recent_look(recent, &other_source, text("content")), RECENT_NEW);
    assert_int_equal(recent_look(recent, &other_cut, text("content")), RECENT_NEW);
}

static void
exactly_the_window_is_remembered_whatever_moves_in_the_table(void **state)
{
    const unsigned more = RECENT_EVENTS / 2;
    char id[32];

    (void)state;
    for (unsigned i = 0; i < RECENT_EVENTS + more; i++) {
        (void)snprintf(id, sizeof id, "%u", i);
        const struct packed_event parts = named("/crm", id);

        assert_true(recent_add(recent, &parts, text(id)));
    }
    for (unsigned i = 0; i < RECENT_EVENTS + more; i++) {
        (void)snprintf(id, sizeof id, "%u", i);
        const struct packed_event parts = named("/crm", id);

        assert_int_equal(recent_look(recent, &parts, text(id)),
                         i < more ? RECENT_NEW : RECENT_SAME);
    }
    recent_clear(recent);
    (void)snprintf(id, sizeof id, "%u", more);
    const struct packed_event parts = named("/crm", id);

    assert_int_equal(recent_look(recent, &parts, text(id)), RECENT_NEW);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_same_id_is_known_by_its_content),
        TEST(what_is_undone_was_never_known),
        TEST(source_and_id_together_make_the_name),
        TEST(exactly_the_window_is_remembered_whatever_moves_in_the_table),
    };

    return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
