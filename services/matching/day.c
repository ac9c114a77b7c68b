#include "services/matching/day.h"

#define MS_PER_DAY INT64_C(86400000)

static bool
leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && leap(year));
}

/* Days before the first of January of a year, since 1970. */
static int32_t
before_year(int year)
{
    const int y = year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static bool
digits(const char *text, int count, int *ret)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *ret = value;
    return true;
}

bool
day_parse(const char *text, int32_t *ret)
{
    int year, month, day;
    int32_t days;

    if (!digits(text, 4, &year) || text[4] != '-' || !digits(text + 5, 2, &month) ||
        text[7] != '-' || !digits(text + 8, 2, &day) || text[10] != '\0')
        return false;
    if (year < 1900 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    days = before_year(year) + day - 1;
    for (int i = 1; i < month; i++)
        days += days_in(year, i);
    *ret = days;
    return true;
}

void
day_format(int32_t day, char ret[DAY_TEXT_SIZE])
{
    int year = 1970 + day / 366;
    int month = 1;

    while (before_year(year + 1) <= day)
        year++;
    while (before_year(year) > day)
        year--;
    day -= before_year(year);
    for (; day >= days_in(year, month); month++)
        day -= days_in(year, month);
    (void)snprintf(ret, DAY_TEXT_SIZE, "%04u-%02u-%02u", (unsigned)year % 10000u,
                   (unsigned)month % 100u, (unsigned)(day + 1) % 100u);
}

int32_t
day_of(struct wall time)
{
    int64_t days = time.unix_ms / MS_PER_DAY;

    if (time.unix_ms < 0 && time.unix_ms % MS_PER_DAY)
        days--;
    return (int32_t)days;
}
