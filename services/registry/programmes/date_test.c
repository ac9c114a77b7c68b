#include "services/registry/programmes/date.h"

#include <string.h>

#include "common/base/test.h"

static struct rule_date
day(const char *text)
{
    struct rule_date date = {0};

    assert_true(rule_date_parse(text, &date));
    return date;
}

static void
only_days_that_exist_are_dates(void **unused)
{
    static const char *const bad[] = {
        "",           "2024",       "2024-1-31",  "2024-01-32", "2023-02-29", "1900-02-29",
        "2024-13-01", "2024-00-10", "2024-01-00", "1899-12-31", "2200-01-01", "2024-01-31 ",
        " 024-01-31", "2024/01/31", "2024-01-3x", "+024-01-31",
    };
    struct rule_date date = {.year = 7};

    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(rule_date_parse(bad[i], &date));
    assert_false(rule_date_parse(NULL, &date));
    assert_int_equal(date.year, 7); /* nothing is written on failure */
    assert_true(rule_date_parse("2000-02-29", &date));
    assert_int_equal(date.day, 29);
}

static void
a_date_is_written_as_it_was_read(void **unused)
{
    char text[RULE_DATE_SIZE];

    (void)unused;
    rule_date_format(day("1999-09-09"), text);
    assert_string_equal(text, "1999-09-09");
}

static void
every_day_of_three_centuries_counts_there_and_back(void **unused)
{
    const int64_t first = rule_date_days(day("1900-01-01"));
    const int64_t last = rule_date_days(day("2199-12-31"));
    char text[RULE_DATE_SIZE];

    (void)unused;
    assert_int_equal(rule_date_days(day("1970-01-01")), 0);
    assert_int_equal(rule_date_days(day("2000-03-01")), 11017);
    for (int64_t days = first; days <= last; days++) {
        const struct rule_date date = rule_date_from_days(days);
        struct rule_date again;
        rule_date_format(date, text);
        assert_true(rule_date_parse(text, &again));
        assert_int_equal(rule_date_days(again), days);
    }
}

static void
a_month_later_is_the_same_day_or_the_last(void **unused)
{
    (void)unused;
    assert_int_equal(
        rule_date_compare(rule_date_add_months(day("2024-01-31"), 1), day("2024-02-29")), 0);
    assert_int_equal(
        rule_date_compare(rule_date_add_months(day("2024-12-15"), 1), day("2025-01-15")), 0);
    assert_int_equal(
        rule_date_compare(rule_date_add_months(day("2024-01-15"), -36), day("2021-01-15")), 0);
    assert_int_equal(
        rule_date_compare(rule_date_add_months(day("2024-03-31"), -1), day("2024-02-29")), 0);
}

static void
check_span(const char *from, const char *to, int64_t months, int64_t days)
{
    const struct rule_span span = rule_date_span(day(from), day(to));

    assert_int_equal(span.months, months);
    assert_int_equal(span.days, days);
}

static void
spans_count_whole_months_by_the_calendar_and_then_days(void **unused)
{
    (void)unused;
    check_span("2024-01-15", "2026-01-15", 24, 0);
    check_span("2024-01-15", "2026-01-16", 24, 1);
    check_span("2024-01-15", "2026-01-14", 23, 30);
    check_span("2024-01-15", "2024-01-15", 0, 0);
    check_span("2024-01-31", "2024-02-29", 1, 0); /* the last day stands for the 31st */
    check_span("2024-01-31", "2024-03-01", 1, 1);
    check_span("2023-02-28", "2024-02-29", 12, 1);
    check_span("2024-02-29", "2025-02-28", 12, 0);
}

static void
a_span_leads_from_one_day_to_the_other(void **unused)
{
    const int64_t start = rule_date_days(day("2023-12-01"));

    (void)unused;
    for (int64_t from = start; from < start + 400; from += 7) {
        for (int64_t to = from; to < from + 800; to += 11) {
            const struct rule_date a = rule_date_from_days(from);
            const struct rule_span span = rule_date_span(a, rule_date_from_days(to));
            assert_int_equal(rule_date_days(rule_date_add_months(a, span.months)) + span.days,
                             to);
            assert_in_range(span.days, 0, 30);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_days_that_exist_are_dates),
        cmocka_unit_test(a_date_is_written_as_it_was_read),
        cmocka_unit_test(every_day_of_three_centuries_counts_there_and_back),
        cmocka_unit_test(a_month_later_is_the_same_day_or_the_last),
        cmocka_unit_test(spans_count_whole_months_by_the_calendar_and_then_days),
        cmocka_unit_test(a_span_leads_from_one_day_to_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
