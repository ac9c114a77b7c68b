#include "common/pg/cursor.h"

#include <string.h>

#include "common/base/test.h"

#define TENANT "0190a000-0000-7000-8000-00000000000a"

static struct arena arena;

static int
set_up(void **state)
{
    static const unsigned char secret[CURSOR_SECRET_BYTES] = "a secret of thirty-two bytes...";

    (void)state;
    arena_init(&arena, 16 << 20);
    cursor_set_secret(secret);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static char *
made(const char *listing, const char *sort_key, const char *id)
{
    const char *cursor = NULL;
    char *copy;

    assert_false(failed(cursor_make(&arena, TENANT, listing, sort_key, id, &cursor)));
    copy = arena_copy(&arena, cursor);
    assert_non_null(copy);
    return copy;
}

static void
assert_refused(const char *tenant_id, const char *listing, const char *cursor)
{
    const char *sort_key = "untouched";
    const char *id = "untouched";
    const struct status status =
        cursor_read(&arena, tenant_id, listing, cursor, &sort_key, &id);

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "page_token");
    assert_string_equal(sort_key, "untouched");
    assert_string_equal(id, "untouched");
}

static void
a_cursor_gives_back_its_parts(void **state)
{
    static const char *const keys[] = {"", "2026-01-01", "Ångström & söner", "a\nb"};
    const char *sort_key = NULL;
    const char *id = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const char *cursor = made("needs", keys[i], "the-id");

        assert_null(strpbrk(cursor, "+/=&? "));
        assert_false(failed(cursor_read(&arena, TENANT, "needs", cursor, &sort_key, &id)));
        assert_string_equal(sort_key, keys[i]);
        assert_string_equal(id, "the-id");
    }
}

static void
no_cursor_is_the_beginning(void **state)
{
    const char *sort_key = NULL;
    const char *id = NULL;

    (void)state;
    assert_false(failed(cursor_read(&arena, TENANT, "needs", "", &sort_key, &id)));
    assert_string_equal(sort_key, "");
    assert_string_equal(id, "");
}

static void
another_tenant_or_list_refuses_it(void **state)
{
    const char *cursor = made("needs", "k", "i");

    (void)state;
    assert_refused("0190b000-0000-7000-8000-00000000000b", "needs", cursor);
    assert_refused(NULL, "needs", cursor);
    assert_refused(TENANT, "people", cursor);
    assert_refused(TENANT, "need", cursor);
}

static void
every_changed_character_is_noticed(void **state)
{
    const char *cursor = made("needs", "key", "id");
    const size_t length = strlen(cursor);

    (void)state;
    for (size_t i = 0; i < length; i++) {
        char *changed = arena_copy(&arena, cursor);

        assert_non_null(changed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_refused(TENANT, "needs", changed);
    }
}

static void
every_shortened_cursor_is_refused(void **state)
{
    const char *cursor = made("needs", "key", "id");

    (void)state;
    for (size_t length = 1; length < strlen(cursor); length++) {
        const char *cut = arena_copy_n(&arena, cursor, length);

        assert_refused(TENANT, "needs", cut);
    }
}

static void
nonsense_is_refused(void **state)
{
    char *large = arena_alloc(&arena, 10001);

    (void)state;
    assert_non_null(large);
    memset(large, 'A', 10000);
    assert_refused(TENANT, "needs", large);
    assert_refused(TENANT, "needs", "!");
    assert_refused(TENANT, "needs", "åäö");
    assert_refused(TENANT, "needs", "AAAA");
}

static void
moving_the_border_between_key_and_id_is_noticed(void **state)
{
    const char *sort_key = NULL;
    const char *id = NULL;
    const char *one = made("needs", "ab", "c");
    const char *other = made("needs", "a", "bc");

    (void)state;
    assert_string_not_equal(one, other);
    assert_false(failed(cursor_read(&arena, TENANT, "needs", other, &sort_key, &id)));
    assert_string_equal(id, "bc");
}

static void
another_secret_refuses_it(void **state)
{
    static const unsigned char other[CURSOR_SECRET_BYTES] = "quite another secret............";
    const char *cursor = made("needs", "k", "i");

    cursor_set_secret(other);
    assert_refused(TENANT, "needs", cursor);
    arena_fini(&arena);
    assert_int_equal(set_up(state), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_gives_back_its_parts),
        cmocka_unit_test(no_cursor_is_the_beginning),
        cmocka_unit_test(another_tenant_or_list_refuses_it),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(every_shortened_cursor_is_refused),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(moving_the_border_between_key_and_id_is_noticed),
        cmocka_unit_test(another_secret_refuses_it),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
