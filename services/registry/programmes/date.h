#pragma once

/* Calendar dates and spans of rules: no clock, no time zone.  Periods are half-open, months are
 * counted by the calendar. */

#include <stdbool.h>
#include <stdint.h>

struct rule_date {
    int32_t year; /* 1900..2199; 0: not given */
    int32_t month;
    int32_t day;
};

struct rule_period {
    struct rule_date start;
    struct rule_date end; /* first day after */
};

/* Whole calendar months, then days. */
struct rule_span {
    int64_t months;
    int64_t days;
};

static inline bool
rule_date_given(struct rule_date date)
{
    return date.year != 0;
}

/* "2024-01-31" and nothing else; false for a day that does not exist. */
bool rule_date_parse(const char *text, struct rule_date *ret);

#define RULE_DATE_SIZE 11
void rule_date_format(struct rule_date date, char ret[RULE_DATE_SIZE]);

/* Below, equal to or above 0, as strcmp. */
int rule_date_compare(struct rule_date a, struct rule_date b);

/* The same day `months` later or earlier; the month's last day when there is no such day. */
struct rule_date rule_date_add_months(struct rule_date date, int64_t months);

/* Days since 1970-01-01 and back. */
int64_t rule_date_days(struct rule_date date);
struct rule_date rule_date_from_days(int64_t days);

/* From `from` to `to`, which is not before it: adding the months and then the days leads there.
 */
struct rule_span rule_date_span(struct rule_date from, struct rule_date to);
