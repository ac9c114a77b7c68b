#include "services/cli/import.h"

#include <string.h>

#include "common/base/test.h"
#include "registry/v1/organisations.pb-c.h"

static struct arena arena;
static struct table table;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct status
open_text(char *text)
{
    const struct source source = {.text = text, .size = strlen(text), .name = "given"};

    return table_open(&table, &source, &arena);
}

static void
read_record(void)
{
    bool any;

    assert_int_equal(table_next(&table, &arena, &any).code, CODE_OK);
    assert_true(any);
}

static void
columns_are_found_by_name_in_any_case(void **state)
{
    char text[] = "Name,TYPE\nDalahus,company\n";

    (void)state;
    assert_int_equal(open_text(text).code, CODE_OK);
    read_record();
    assert_string_equal(table_field(&table, table_column(&table, "name")), "Dalahus");
    assert_string_equal(table_field(&table, table_column(&table, "type")), "company");
    assert_int_equal(table_column(&table, "country"), -1);
    assert_string_equal(table_field(&table, -1), "");
}

static void
a_file_without_a_header_is_refused(void **state)
{
    char text[] = "\n";
    const struct status status = open_text(text);

    (void)state;
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "line 1");
}

static void
a_column_that_comes_twice_is_refused(void **state)
{
    char text[] = "name,type,Name\n";
    const struct status status = open_text(text);

    (void)state;
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "line 1, column Name");
}

static void
a_column_that_nobody_knows_is_refused(void **state)
{
    static const char *const known[] = {"name", "type", NULL};
    char good[] = "TYPE,name\n", bad[] = "name,nutz\n";
    struct status status;

    (void)state;
    assert_int_equal(open_text(good).code, CODE_OK);
    assert_int_equal(table_only(&table, &arena, known).code, CODE_OK);
    assert_int_equal(open_text(bad).code, CODE_OK);
    status = table_only(&table, &arena, known);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "line 1, column nutz");
}

static void
expect_number(const char *text, enum code code, uint32_t value)
{
    char all[64];
    uint32_t found = 77;
    struct status status;

    assert_true(snprintf(all, sizeof all, "size,x\n%s,x\n", text) < (int)sizeof all);
    assert_int_equal(open_text(all).code, CODE_OK);
    read_record();
    status = table_number(&table, &arena, "size", 1000, &found);
    assert_int_equal(status.code, code);
    assert_int_equal(found, code == CODE_OK ? value : 77);
    if (code != CODE_OK)
        assert_string_equal(status.field, "line 2, column size");
}

static void
numbers_are_digits_up_to_a_limit(void **state)
{
    (void)state;
    expect_number("0", CODE_OK, 0);
    expect_number("48", CODE_OK, 48);
    expect_number("1000", CODE_OK, 1000);
    expect_number("", CODE_OK, 0);
    expect_number("1001", CODE_INVALID_ARGUMENT, 0);
    expect_number("-1", CODE_INVALID_ARGUMENT, 0);
    expect_number("+1", CODE_INVALID_ARGUMENT, 0);
    expect_number(" 1", CODE_INVALID_ARGUMENT, 0);
    expect_number("1.5", CODE_INVALID_ARGUMENT, 0);
    expect_number("18446744073709551617", CODE_INVALID_ARGUMENT, 0);
}

static void
enum_names_are_read_as_people_write_them(void **state)
{
    const ProtobufCEnumDescriptor *types = &registry__v1__organisation_type__descriptor;

    (void)state;
    assert_int_equal(import_enum(types, "science-park"),
                     REGISTRY__V1__ORGANISATION_TYPE__SCIENCE_PARK);
    assert_int_equal(import_enum(types, "HEI_UAS"), REGISTRY__V1__ORGANISATION_TYPE__HEI_UAS);
    assert_int_equal(import_enum(types, "compan"), -1);
    assert_int_equal(import_enum(types, "companys"), -1);
    assert_int_equal(import_enum(types, ""), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name_in_any_case),
        cmocka_unit_test(a_file_without_a_header_is_refused),
        cmocka_unit_test(a_column_that_comes_twice_is_refused),
        cmocka_unit_test(a_column_that_nobody_knows_is_refused),
        cmocka_unit_test(numbers_are_digits_up_to_a_limit),
        cmocka_unit_test(enum_names_are_read_as_people_write_them),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
