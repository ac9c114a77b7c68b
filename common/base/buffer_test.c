#include "common/base/buffer.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/base/test.h"

static const char *
text_of(const struct buffer *buffer)
{
    return (const char *)buffer->data;
}

static void
writes_follow_each_other_and_end_in_a_nul(void **state)
{
    scoped(buffer_fini) struct buffer buffer;

    (void)state;
    buffer_init(&buffer, 1000);
    buffer_puts(&buffer, "need ");
    buffer_putc(&buffer, '#');
    buffer_printf(&buffer, "%d %s", 42, "åäö");
    buffer_put(&buffer, "\0!", 2);
    assert_false(buffer.broken);
    assert_int_equal(buffer.size, 5 + 1 + 3 + 6 + 2);
    assert_memory_equal(buffer.data, "need #42 åäö\0!", buffer.size + 1);
    buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
    assert_string_equal(text_of(&buffer), "");
}

static void
long_formatted_texts_fit(void **state)
{
    scoped(buffer_fini) struct buffer buffer;

    (void)state;
    buffer_init(&buffer, 5000);
    for (int i = 0; i < 4; i++)
        buffer_printf(&buffer, "%*d", 1000, i);
    assert_int_equal(buffer.size, 4000);
    assert_int_equal(buffer.data[3999], '3');
    assert_int_equal(buffer.data[4000], '\0');
}

static void
the_limit_breaks_the_buffer_and_nothing_more_is_written(void **state)
{
    scoped(buffer_fini) struct buffer buffer;
    struct arena arena;
    struct status status;

    (void)state;
    arena_init(&arena, 4096);
    buffer_init(&buffer, 8);
    buffer_puts(&buffer, "12345678");
    assert_false(failed(buffer_check(&buffer, &arena)));
    buffer_putc(&buffer, '9');
    assert_true(buffer.broken);
    assert_string_equal(text_of(&buffer), "12345678");
    status = buffer_check(&buffer, &arena);
    assert_int_equal(status.code, CODE_RESOURCE_EXHAUSTED);
    buffer_truncate(&buffer, 3);
    assert_false(buffer.broken);
    buffer_printf(&buffer, "%s", "xy");
    assert_string_equal(text_of(&buffer), "123xy");
    buffer_printf(&buffer, "%300d", 1);
    assert_true(buffer.broken);
    buffer_putc(&buffer, 'z');
    assert_string_equal(text_of(&buffer), "123xy");
    arena_fini(&arena);
}

static void
a_zeroed_buffer_is_broken_at_the_first_write(void **state)
{
    struct buffer buffer = {0};

    (void)state;
    buffer_puts(&buffer, "");
    assert_true(buffer.broken);
    assert_null(buffer.data);
    buffer_fini(&buffer);
}

static void
assert_json(const char *text, size_t size, const char *expected)
{
    scoped(buffer_fini) struct buffer buffer;

    buffer_init(&buffer, 1000);
    buffer_put_json(&buffer, text, size);
    assert_string_equal(text_of(&buffer), expected);
}

static void
json_strings_are_escaped(void **state)
{
    (void)state;
    assert_json("", 0, "\"\"");
    assert_json("Högskolan \"Dalarna\"\\", 21, "\"Högskolan \\\"Dalarna\\\"\\\\\"");
    assert_json("a\n\r\t\b\f\x01\x7f", 8, "\"a\\n\\r\\t\\b\\f\\u0001\\u007f\"");
    assert_json("a\0b", 3, "\"a\\u0000b\"");
    assert_json("</script>", 9, "\"</script>\"");
    assert_json("😀", 4, "\"😀\"");
}

static void
what_fools_the_eye_is_escaped_in_json(void **state)
{
    (void)state;
    assert_json("\xE2\x80\xA8\xE2\x80\xA9", 6, "\"\\u2028\\u2029\"");
    assert_json("\xE2\x80\xAE", 3, "\"\\u202e\"");
    assert_json("\xE2\x81\xA6\xE2\x81\xA9", 6, "\"\\u2066\\u2069\"");
    assert_json("\xD8\x9C\xE2\x80\x8E", 5, "\"\\u061c\\u200e\"");
    assert_json("\xC2\x85", 2, "\"\\u0085\"");
}

static void
bytes_that_are_not_utf8_are_replaced_in_json(void **state)
{
    (void)state;
    assert_json("a\xFF\xC3", 3, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
    assert_json("\xC3\xA5"
                "b\xC3",
                4, "\"åb\xEF\xBF\xBD\"");
    assert_json("\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_follow_each_other_and_end_in_a_nul),
        cmocka_unit_test(long_formatted_texts_fit),
        cmocka_unit_test(the_limit_breaks_the_buffer_and_nothing_more_is_written),
        cmocka_unit_test(a_zeroed_buffer_is_broken_at_the_first_write),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(what_fools_the_eye_is_escaped_in_json),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced_in_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
