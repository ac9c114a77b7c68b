#include "common/base/test.h"
#include "services/registry/values/values.h"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
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
look(const char *scheme, const char *value, bool *ret_checked)
{
    Registry__V1__ExternalId id = REGISTRY__V1__EXTERNAL_ID__INIT;

    id.scheme = scheme;
    id.value = value;
    return values_external_id(&arena, "f", &id, ret_checked);
}

static void
accept(const char *scheme, const char *value, bool checked)
{
    bool was = !checked;

    assert_int_equal(look(scheme, value, &was).code, CODE_OK);
    assert_int_equal(was, checked);
}

static void
refuse(const char *scheme, const char *value)
{
    bool ignored;
    const struct status status = look(scheme, value, &ignored);

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "f");
}

static void
swedish_numbers_have_a_luhn_digit(void **state)
{
    (void)state;
    accept("se-orgnr", "556036-0793", true); /* Saab */
    accept("se-orgnr", "202100-2908", true); /* a university college */
    refuse("se-orgnr", "556036-0794");
    refuse("se-orgnr", "556036-7093"); /* two digits changed places */
    refuse("se-orgnr", "5560360793");
    refuse("se-orgnr", "556036-079");
    refuse("se-orgnr", "55603a-0793");
}

static void
finnish_numbers_have_a_check_digit_modulo_11(void **state)
{
    (void)state;
    accept("fi-ytunnus", "2285733-9", true); /* University of Eastern Finland */
    accept("fi-ytunnus", "0112038-9", true); /* Nokia */
    refuse("fi-ytunnus", "2285733-8");
    refuse("fi-ytunnus", "22857339");
    refuse("fi-ytunnus", "2285733-X");
    refuse("fi-ytunnus", "0000006-0"); /* a rest of 1 has no digit */
}

static void
ror_ids_have_two_check_digits(void **state)
{
    (void)state;
    accept("ror", "https://ror.org/000hdh770", true); /* Hoegskolan Dalarna */
    accept("ror", "000hdh770", true);
    accept("ror", "https://ror.org/00cyydd11", true); /* University of Eastern Finland */
    refuse("ror", "https://ror.org/000hdh771");
    refuse("ror", "https://ror.org/000hdi770"); /* i is not of the alphabet */
    refuse("ror", "https://ror.org/100hdh770");
    refuse("ror", "https://ror.org/");
}

static void
lei_codes_are_mod_97_10(void **state)
{
    (void)state;
    accept("lei", "549300A0JPRWG1KI7U06", true); /* Nokia */
    refuse("lei", "549300A0JPRWG1KI7U07");
    refuse("lei", "549300a0jprwg1ki7u06");
    refuse("lei", "549300A0JPRWG1KI7U0");
}

static void
other_schemes_are_taken_as_they_come_and_unknown_ones_refused(void **state)
{
    char long_one[202];

    (void)state;
    accept("vat", "FI22857339", false);
    accept("pic", "999999999", false);
    accept("wikidata", "Q1", false);
    refuse("vat", "");
    refuse("ssn", "1");
    refuse("", "1");
    for (size_t i = 0; i < sizeof long_one - 1; i++)
        long_one[i] = 'x';
    long_one[sizeof long_one - 1] = '\0';
    refuse("url", long_one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(swedish_numbers_have_a_luhn_digit),
        TEST(finnish_numbers_have_a_check_digit_modulo_11),
        TEST(ror_ids_have_two_check_digits),
        TEST(lei_codes_are_mod_97_10),
        TEST(other_schemes_are_taken_as_they_come_and_unknown_ones_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
