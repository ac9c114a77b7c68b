#include "services/registry/programmes/date.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool
is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t
days_in_month(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int32_t
digits(const char *text, int count)
{
    int32_t value = 0;

    for (int i = 0; i < count; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

bool
rule_date_parse(const char *text, struct rule_date *ret)
{
    struct rule_date date;

    if (!text || strlen(text) != 10)
        return false;
    for (int i = 0; i < 10; i++) {
        const bool dash = i == 4 || i == 7;
        if (dash ? text[i] != '-' : !isdigit((unsigned char)text[i]))
            return false;
    }
    date.year = digits(text, 4);
    date.month = digits(text + 5, 2);
    date.day = digits(text + 8, 2);
    if (date.year < 1900 || date.year > 2199 || date.month < 1 || date.month > 12)
        return false;
    if (date.day < 1 || date.day > days_in_month(date.year, date.month))
        return false;
    *ret = date;
    return true;
}

void
rule_date_format(struct rule_date date, char ret[RULE_DATE_SIZE])
{
    /* The remainders keep the compiler sure that ten characters are enough. */
    snprintf(ret, RULE_DATE_SIZE, "%04u-%02u-%02u", (unsigned)date.year % 10000u,
             (unsigned)date.month % 100u, (unsigned)date.day % 100u);
}

int
rule_date_compare(struct rule_date a, struct rule_date b)
{
    if (a.year != b.year)
        return a.year < b.year ? -1 : 1;
    if (a.month != b.month)
        return a.month < b.month ? -1 : 1;
    return (a.day > b.day) - (a.day < b.day);
}

struct rule_date
rule_date_add_months(struct rule_date date, int64_t months)
{
    const int64_t index = (int64_t)date.year * 12 + (date.month - 1) + months;
    struct rule_date result;

    result.year = (int32_t)(index / 12);
    result.month = (int32_t)(index % 12) + 1;
    result.day = date.day;
    if (result.day > days_in_month(result.year, result.month))
        result.day = days_in_month(result.year, result.month);
    return result;
}

/* By eras of 400 years that begin on 1 March, so that the leap day is the last day of a year.
 */
int64_t
rule_date_days(struct rule_date date)
{
    const int64_t year = date.month <= 2 ? (int64_t)date.year - 1 : date.year;
    const int64_t era = year / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t month = (date.month + 9) % 12;
    const int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - 719468;
}

struct rule_date
rule_date_from_days(int64_t days)
{
    const int64_t shifted = days + 719468;
    const int64_t era = shifted / 146097;
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153;
    struct rule_date date;

    date.day = (int32_t)(day_of_year - (153 * month + 2) / 5 + 1);
    date.month = (int32_t)(month < 10 ? month + 3 : month - 9);
    date.year = (int32_t)(year_of_era + era * 400 + (date.month <= 2 ? 1 : 0));
    return date;
}

struct rule_span
rule_date_span(struct rule_date from, struct rule_date to)
{
    struct rule_span span;

    span.months = ((int64_t)to.year - from.year) * 12 + (to.month - from.month);
    if (rule_date_compare(rule_date_add_months(from, span.months), to) > 0)
        span.months--;
    span.days = rule_date_days(to) - rule_date_days(rule_date_add_months(from, span.months));
    return span;
}
