#include "services/registry/values/values.h"

#include <string.h>

#include "common/base/test.h"

#define ONE "0190a000-0000-7000-8000-000000000001"
#define TWO "0190a000-0000-7000-8000-000000000002"

#define assert_field(step, wanted)                                                             \
    do {                                                                                       \
        const struct status field_status_ = (step);                                            \
        assert_int_equal(field_status_.code, CODE_INVALID_ARGUMENT);                           \
        assert_string_equal(field_status_.field, wanted);                                      \
    } while (0)
#define assert_ok(step) assert_int_equal((step).code, CODE_OK)
#define assert_refused(step) assert_field(step, "f")

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

static void
an_id_is_a_uuid_in_lower_case(void **state)
{
    const char *twice[] = {ONE, TWO, ONE};
    const char *empty[] = {""};

    (void)state;
    assert_ok(values_id(&arena, "f", ONE, true));
    assert_ok(values_id(&arena, "f", "", false));
    assert_refused(values_id(&arena, "f", "", true));
    assert_refused(values_id(&arena, "f", "0190A000-0000-7000-8000-000000000001", true));
    assert_ok(values_ids(&arena, "f", twice, 2, 2));
    assert_refused(values_ids(&arena, "f", twice, 2, 1));
    assert_field(values_ids(&arena, "f", twice, 3, 9), "f[2]");
    assert_field(values_ids(&arena, "f", empty, 1, 9), "f[0]");
}

static void
a_text_is_trimmed_and_counted_in_characters(void **state)
{
    const char *text = "\t åäö \n";

    (void)state;
    assert_ok(values_text(&arena, "f", &text, 3, 3));
    assert_string_equal(text, "åäö");
    assert_refused(values_text(&arena, "f", &text, 4, 9));
    assert_refused(values_text(&arena, "f", &text, 0, 2));
    text = "   ";
    assert_refused(values_text(&arena, "f", &text, 1, 9));
    assert_ok(values_text(&arena, "f", &text, 0, 9));
    assert_string_equal(text, "");
}

static void
an_enum_is_known_and_in_a_list_only_once(void **state)
{
    const ProtobufCEnumDescriptor *focus = &registry__v1__focus_area__descriptor;
    const int twice[] = {1, 7, 1}, none[] = {0};

    (void)state;
    assert_ok(values_enum(&arena, "f", focus, 7, true));
    assert_ok(values_enum(&arena, "f", focus, 0, false));
    assert_refused(values_enum(&arena, "f", focus, 0, true));
    assert_refused(values_enum(&arena, "f", focus, 8, false));
    assert_refused(values_enum(&arena, "f", focus, -1, false));
    assert_ok(values_enums(&arena, "f", focus, twice, 2, 2));
    assert_refused(values_enums(&arena, "f", focus, twice, 2, 1));
    assert_field(values_enums(&arena, "f", focus, twice, 3, 9), "f[2]");
    assert_field(values_enums(&arena, "f", focus, none, 1, 9), "f[0]");
}

static void
a_date_is_one_of_the_calendar(void **state)
{
    static const char *const good[] = {"2026-11-22", "2024-02-29", "2000-02-29", "1900-01-01",
                                       "2199-12-31"};
    static const char *const bad[] = {
        "2026-02-29",  "1900-02-29",  "2026-04-31", "2026-00-10", "2026-13-01",
        "2026-01-00",  "1899-12-31",  "2200-01-01", "2026-1-1",   "2026/01/01",
        "2026-01-011", " 2026-01-01", "20260101",   "today",      "2026-01-0x",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_ok(values_date(&arena, "f", good[i], true));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_refused(values_date(&arena, "f", bad[i], true));
    assert_ok(values_date(&arena, "f", "", false));
    assert_refused(values_date(&arena, "f", "", true));
}

static void
days_and_dates_lead_to_each_other(void **state)
{
    const char *date, *before = "1899-12-31";

    (void)state;
    assert_int_equal(values_days("1970-01-01"), 0);
    assert_int_equal(values_days("1969-12-31"), -1);
    assert_int_equal(values_days("2000-03-01"), 11017);
    assert_int_equal(values_days("2026-11-22"), 20779);
    for (int32_t day = values_days("1900-01-01"); day <= values_days("2199-12-31"); day++) {
        assert_ok(values_date_of(&arena, day, &date));
        assert_ok(values_date(&arena, "f", date, true));
        assert_int_equal(values_days(date), day);
        assert_true(strcmp(date, before) > 0);
        before = date;
    }
}

static void
today_is_the_day_in_utc(void **state)
{
    const char *today;

    (void)state;
    assert_ok(values_today(&arena, (struct wall){1767225599999}, &today));
    assert_string_equal(today, "2025-12-31");
    assert_ok(values_today(&arena, (struct wall){1767225600000}, &today));
    assert_string_equal(today, "2026-01-01");
}

static void
codes_have_their_shapes(void **state)
{
    (void)state;
    assert_ok(values_country(&arena, "f", "FI"));
    assert_refused(values_country(&arena, "f", "fi"));
    assert_refused(values_country(&arena, "f", "FIN"));
    assert_refused(values_country(&arena, "f", ""));
    assert_ok(values_nuts(&arena, "f", ""));
    assert_ok(values_nuts(&arena, "f", "FI1D2"));
    assert_ok(values_nuts(&arena, "f", "SE"));
    assert_ok(values_nuts(&arena, "f", "SE312"));
    assert_refused(values_nuts(&arena, "f", "S"));
    assert_refused(values_nuts(&arena, "f", "SE3123"));
    assert_refused(values_nuts(&arena, "f", "se312"));
    assert_refused(values_nuts(&arena, "f", "SE%"));
    assert_ok(values_nace(&arena, "f", ""));
    assert_ok(values_nace(&arena, "f", "C"));
    assert_ok(values_nace(&arena, "f", "25"));
    assert_ok(values_nace(&arena, "f", "25.1"));
    assert_ok(values_nace(&arena, "f", "25.11"));
    assert_refused(values_nace(&arena, "f", "V"));
    assert_refused(values_nace(&arena, "f", "25."));
    assert_refused(values_nace(&arena, "f", "25.111"));
    assert_refused(values_nace(&arena, "f", "2511"));
    assert_ok(values_isced_f(&arena, "f", "07"));
    assert_ok(values_isced_f(&arena, "f", "0713"));
    assert_refused(values_isced_f(&arena, "f", "7"));
    assert_refused(values_isced_f(&arena, "f", "07131"));
    assert_refused(values_isced_f(&arena, "f", "07a"));
}

static void
languages_are_plain_tags_each_once(void **state)
{
    const char *good[] = {"sv", "smj", "sv"};
    const char *bad[] = {"sv-FI"}, *empty[] = {""};

    (void)state;
    assert_ok(values_languages(&arena, "f", good, 2));
    assert_field(values_languages(&arena, "f", good, 3), "f[2]");
    assert_field(values_languages(&arena, "f", bad, 1), "f[0]");
    assert_field(values_languages(&arena, "f", empty, 1), "f[0]");
    assert_refused(values_languages(&arena, "f", good, 21));
}

static void
a_web_address_has_a_scheme_and_no_spaces(void **state)
{
    char long_one[520] = "https://";

    (void)state;
    memset(long_one + 8, 'x', sizeof long_one - 9);
    assert_ok(values_url(&arena, "f", ""));
    assert_ok(values_url(&arena, "f", "https://www.du.se/"));
    assert_ok(values_url(&arena, "f", "http://du.se"));
    assert_refused(values_url(&arena, "f", "ftp://du.se"));
    assert_refused(values_url(&arena, "f", "javascript:alert(1)"));
    assert_refused(values_url(&arena, "f", "https://du.se/a b"));
    assert_refused(values_url(&arena, "f", "https://du.se/\n"));
    assert_refused(values_url(&arena, "f", long_one));
}

static void
a_name_is_one_line(void **state)
{
    static const char *const lines[] = {"a\nb",
                                        "a\rb",
                                        "a\tb",
                                        "a\x01",
                                        "a\x7f"
                                        "b",
                                        "a\xc2\x85"
                                        "b",
                                        "a\xe2\x80\xa8"
                                        "b"};
    const char *name = " Åsa Öst ";

    (void)state;
    assert_ok(values_line(&arena, "f", &name, 1, 10));
    assert_string_equal(name, "Åsa Öst");
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        const struct values_text_rule names = {1, 1, 10, true}, prose = {1, 1, 10, false};
        Registry__V1__LocalText text, *list[] = {&text};

        name = lines[i];
        assert_refused(values_line(&arena, "f", &name, 1, 10));
        registry__v1__local_text__init(&text);
        text.lang = "sv";
        text.value = lines[i];
        assert_field(values_texts(&arena, "f", list, 1, names), "f[0].value");
        assert_ok(values_texts(&arena, "f", list, 1, prose));
    }
    name = "ab\n";
    assert_ok(values_line(&arena, "f", &name, 1, 10)); /* trimmed */
}

static void
texts_are_in_house_languages_each_once(void **state)
{
    const struct values_text_rule rule = {1, 2, 5, false};
    Registry__V1__LocalText texts[3];
    Registry__V1__LocalText *list[] = {&texts[0], &texts[1], &texts[2]};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        registry__v1__local_text__init(&texts[i]);
        texts[i].value = " ab ";
    }
    texts[0].lang = "sv";
    texts[1].lang = "fi";
    texts[2].lang = "en";
    assert_ok(values_texts(&arena, "f", list, 2, rule));
    assert_string_equal(texts[0].value, "ab");
    assert_refused(values_texts(&arena, "f", list, 0, rule));
    assert_refused(values_texts(&arena, "f", list, 3, rule));
    texts[1].lang = "sv";
    assert_field(values_texts(&arena, "f", list, 2, rule), "f[1].lang");
    texts[1].lang = "de";
    assert_field(values_texts(&arena, "f", list, 2, rule), "f[1].lang");
    texts[1].lang = "en";
    texts[1].value = "abcdef";
    assert_field(values_texts(&arena, "f", list, 2, rule), "f[1].value");
}

static void
skills_get_a_full_weight_and_lose_their_label(void **state)
{
    Registry__V1__Skill skills[2];
    Registry__V1__Skill *list[] = {&skills[0], &skills[1]};

    (void)state;
    registry__v1__skill__init(&skills[0]);
    registry__v1__skill__init(&skills[1]);
    skills[0].concept_id = ONE;
    skills[0].label = "of the caller's own making";
    skills[1].concept_id = TWO;
    skills[1].weight = 1;
    assert_ok(values_skills(&arena, "f", list, 2, 2));
    assert_int_equal(skills[0].weight, 1000);
    assert_int_equal(skills[1].weight, 1);
    assert_string_equal(skills[0].label, "");
    assert_refused(values_skills(&arena, "f", list, 2, 1));
    skills[1].weight = 1001;
    assert_field(values_skills(&arena, "f", list, 2, 2), "f[1].weight");
    skills[1].weight = 1;
    skills[1].concept_id = ONE;
    assert_field(values_skills(&arena, "f", list, 2, 2), "f[1].concept_id");
    skills[1].concept_id = "";
    assert_field(values_skills(&arena, "f", list, 2, 2), "f[1].concept_id");
}

static void
a_visibility_has_an_audience(void **state)
{
    const char *tenants[] = {ONE, TWO}, *audience;
    Registry__V1__Visibility visibility = 0;

    (void)state;
    assert_ok(values_visibility(&arena, &visibility, NULL, 0));
    assert_int_equal(visibility, REGISTRY__V1__VISIBILITY__PRIVATE);
    assert_field(values_visibility(&arena, &visibility, tenants, 1), "shared_with");
    assert_ok(values_audience(&arena, visibility, tenants, 2, &audience));
    assert_null(audience);
    visibility = REGISTRY__V1__VISIBILITY__SHARED;
    assert_field(values_visibility(&arena, &visibility, NULL, 0), "shared_with");
    assert_ok(values_visibility(&arena, &visibility, tenants, 2));
    assert_ok(values_audience(&arena, visibility, tenants, 2, &audience));
    assert_string_equal(audience, ONE "," TWO);
    visibility = REGISTRY__V1__VISIBILITY__PUBLIC;
    assert_ok(values_audience(&arena, visibility, NULL, 0, &audience));
    assert_string_equal(audience, "public");
    visibility = 4;
    assert_field(values_visibility(&arena, &visibility, NULL, 0), "visibility");
}

static void
a_search_is_folded_and_takes_no_patterns(void **state)
{
    char long_one[202];
    const char *like;

    (void)state;
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    assert_ok(values_like(&arena, "f", " Åre_100%\\ ", &like));
    assert_string_equal(like, "åre\\_100\\%\\\\");
    assert_ok(values_like(&arena, "f", "", &like));
    assert_string_equal(like, "");
    assert_refused(values_like(&arena, "f", long_one, &like));
}

static void
a_page_has_50_rows_and_at_most_200(void **state)
{
    uint32_t size;

    (void)state;
    assert_ok(values_page_size(&arena, 0, &size));
    assert_int_equal(size, 50);
    assert_ok(values_page_size(&arena, 200, &size));
    assert_int_equal(size, 200);
    assert_field(values_page_size(&arena, 201, &size), "page_size");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_id_is_a_uuid_in_lower_case),
        TEST(a_text_is_trimmed_and_counted_in_characters),
        TEST(an_enum_is_known_and_in_a_list_only_once),
        TEST(a_date_is_one_of_the_calendar),
        TEST(days_and_dates_lead_to_each_other),
        TEST(today_is_the_day_in_utc),
        TEST(codes_have_their_shapes),
        TEST(languages_are_plain_tags_each_once),
        TEST(a_web_address_has_a_scheme_and_no_spaces),
        TEST(a_name_is_one_line),
        TEST(texts_are_in_house_languages_each_once),
        TEST(skills_get_a_full_weight_and_lose_their_label),
        TEST(a_visibility_has_an_audience),
        TEST(a_search_is_folded_and_takes_no_patterns),
        TEST(a_page_has_50_rows_and_at_most_200),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
