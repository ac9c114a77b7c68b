#include "common/base/csv.h"

#include <string.h>

#include "common/base/test.h"

#define BYTES ((size_t)64 << 20)

struct stage {
    struct arena arena;
    struct csv csv;
    const char *fields[CSV_COLUMNS];
    size_t count;
};

static struct stage stage;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&stage.arena, BYTES);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&stage.arena);
    return 0;
}

static void
begin(const char *text)
{
    csv_init(&stage.csv, text, strlen(text), 0);
}

static struct status
next(void)
{
    return csv_next(&stage.csv, &stage.arena, stage.fields, &stage.count);
}

static void
expect_record(size_t line, size_t count, const char *const *fields)
{
    assert_int_equal(next().code, CODE_OK);
    assert_int_equal(stage.count, count);
    assert_int_equal(stage.csv.line, line);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(stage.fields[i], fields[i]);
}

#define EXPECT_RECORD(line, ...)                                                               \
    expect_record(line, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                \
                  (const char *[]){__VA_ARGS__})

static void
expect_end(void)
{
    assert_int_equal(next().code, CODE_OK);
    assert_int_equal(stage.count, 0);
}

static void
expect_refusal(const char *place, const char *reason)
{
    const struct status status = next();

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, place);
    assert_non_null(strstr(status.detail, reason));
}

static void
records_are_lines_and_fields_stand_between_separators(void **state)
{
    (void)state;
    begin("name,country\nDalahus,SE\n,\n");
    EXPECT_RECORD(1, "name", "country");
    EXPECT_RECORD(2, "Dalahus", "SE");
    EXPECT_RECORD(3, "", "");
    expect_end();
    expect_end();
}

static void
the_last_line_needs_no_end(void **state)
{
    (void)state;
    begin("a,b\n1,2");
    EXPECT_RECORD(1, "a", "b");
    EXPECT_RECORD(2, "1", "2");
    expect_end();
}

static void
lines_may_end_as_on_windows(void **state)
{
    (void)state;
    begin("a,b\r\n1,2\r\n3,\"4\"\r\n");
    EXPECT_RECORD(1, "a", "b");
    EXPECT_RECORD(2, "1", "2");
    EXPECT_RECORD(3, "3", "4");
    expect_end();
}

static void
a_byte_order_mark_is_no_part_of_the_first_name(void **state)
{
    (void)state;
    begin("\xef\xbb\xbfname,type\n");
    EXPECT_RECORD(1, "name", "type");
}

static void
quoted_fields_hold_separators_quotes_and_line_ends(void **state)
{
    (void)state;
    begin("a,b\n\"Trä, form\",\"say \"\"hej\"\"\"\n\"one\ntwo\",x\nlast,y\n");
    EXPECT_RECORD(1, "a", "b");
    EXPECT_RECORD(2, "Trä, form", "say \"hej\"");
    EXPECT_RECORD(3, "one\ntwo", "x");
    EXPECT_RECORD(5, "last", "y");
    expect_end();
}

static void
empty_lines_are_passed_over_and_counted(void **state)
{
    (void)state;
    begin("a,b\n\n\r\n1,2\n\n");
    EXPECT_RECORD(1, "a", "b");
    EXPECT_RECORD(4, "1", "2");
    expect_end();
}

static void
the_first_line_shows_the_separator(void **state)
{
    (void)state;
    begin("a;b\n1,5;2\n");
    EXPECT_RECORD(1, "a", "b");
    EXPECT_RECORD(2, "1,5", "2");
    begin("a\tb\n1;2\t3\n");
    EXPECT_RECORD(1, "a", "b");
    EXPECT_RECORD(2, "1;2", "3");
    begin("\"a, b\";\"c\"\n1;2\n");
    EXPECT_RECORD(1, "a, b", "c");
    begin("alone\nx\n");
    EXPECT_RECORD(1, "alone");
    EXPECT_RECORD(2, "x");
}

static void
a_given_separator_is_not_guessed_over(void **state)
{
    (void)state;
    csv_init(&stage.csv, "a,b;c\n", 6, ';');
    EXPECT_RECORD(1, "a,b", "c");
}

static void
a_quote_inside_a_bare_field_is_refused(void **state)
{
    (void)state;
    begin("a,b\n1,5\" pipe\n");
    EXPECT_RECORD(1, "a", "b");
    expect_refusal("line 2, column 2", "quote stands inside");
}

static void
text_after_a_closing_quote_is_refused(void **state)
{
    (void)state;
    begin("a,b\n1,2\n\"3\"x,4\n");
    EXPECT_RECORD(1, "a", "b");
    EXPECT_RECORD(2, "1", "2");
    expect_refusal("line 3, column 1", "after a closing quote");
}

static void
a_quote_that_is_never_closed_is_refused_where_it_opens(void **state)
{
    (void)state;
    begin("a,b\n1,\"2\n3,4\n5,6\n");
    EXPECT_RECORD(1, "a", "b");
    expect_refusal("line 2, column 2", "never closed");
}

static void
a_lone_carriage_return_is_refused(void **state)
{
    (void)state;
    begin("a,b\n1\r2,3\n");
    EXPECT_RECORD(1, "a", "b");
    expect_refusal("line 2, column 1", "carriage return");
}

static void
too_few_and_too_many_columns_are_refused(void **state)
{
    (void)state;
    begin("a,b\n1\n");
    EXPECT_RECORD(1, "a", "b");
    expect_refusal("line 2", "has 1 columns, the first has 2");
    begin("a,b\n1,2,3\n");
    EXPECT_RECORD(1, "a", "b");
    expect_refusal("line 2", "has 3 columns, the first has 2");
}

static void
text_that_is_not_utf_8_is_refused(void **state)
{
    (void)state;
    begin("a,b\n1,Sm\xe5land\n");
    EXPECT_RECORD(1, "a", "b");
    expect_refusal("line 2, column 2", "not UTF-8");
    begin("a,b\n\"\xc3\",2\n");
    EXPECT_RECORD(1, "a", "b");
    expect_refusal("line 2, column 1", "not UTF-8");
}

static void
a_nul_is_refused(void **state)
{
    static const char text[] = "a,b\n1,\0002\n";

    (void)state;
    csv_init(&stage.csv, text, sizeof text - 1, 0);
    EXPECT_RECORD(1, "a", "b");
    expect_refusal("line 2, column 2", "not UTF-8");
}

static void
a_field_that_is_too_long_is_refused(void **state)
{
    const size_t size = CSV_FIELD_BYTES + 8;
    char *text = arena_alloc(&stage.arena, size);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, "a\n", 2);
    csv_init(&stage.csv, text, size, 0);
    EXPECT_RECORD(1, "a");
    expect_refusal("line 2, column 1", "too long");
}

static void
a_record_of_too_many_columns_is_refused(void **state)
{
    char text[CSV_COLUMNS + 2];

    (void)state;
    memset(text, ',', sizeof text);
    csv_init(&stage.csv, text, CSV_COLUMNS - 1, 0);
    assert_int_equal(next().code, CODE_OK);
    assert_int_equal(stage.count, CSV_COLUMNS);
    csv_init(&stage.csv, text, CSV_COLUMNS, 0);
    expect_refusal("line 1", "too many columns");
}

static void
no_text_is_no_record(void **state)
{
    (void)state;
    begin("");
    expect_end();
    begin("\xef\xbb\xbf");
    expect_end();
    begin("\n\n");
    expect_end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_lines_and_fields_stand_between_separators),
        cmocka_unit_test(the_last_line_needs_no_end),
        cmocka_unit_test(lines_may_end_as_on_windows),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_first_name),
        cmocka_unit_test(quoted_fields_hold_separators_quotes_and_line_ends),
        cmocka_unit_test(empty_lines_are_passed_over_and_counted),
        cmocka_unit_test(the_first_line_shows_the_separator),
        cmocka_unit_test(a_given_separator_is_not_guessed_over),
        cmocka_unit_test(a_quote_inside_a_bare_field_is_refused),
        cmocka_unit_test(text_after_a_closing_quote_is_refused),
        cmocka_unit_test(a_quote_that_is_never_closed_is_refused_where_it_opens),
        cmocka_unit_test(a_lone_carriage_return_is_refused),
        cmocka_unit_test(too_few_and_too_many_columns_are_refused),
        cmocka_unit_test(text_that_is_not_utf_8_is_refused),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(a_field_that_is_too_long_is_refused),
        cmocka_unit_test(a_record_of_too_many_columns_is_refused),
        cmocka_unit_test(no_text_is_no_record),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
