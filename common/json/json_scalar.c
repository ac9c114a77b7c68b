#include "common/json/json_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parts of a number by the grammar of RFC 8259. */
struct number {
    bool negative;
    struct json_slice whole, fraction; /* digits */
    bool exponent_negative;
    struct json_slice exponent; /* digits; empty: none */
};

static struct json_slice
digits(const char *at, const char *end)
{
    struct json_slice slice = {at, 0};

    while (at + slice.size < end && at[slice.size] >= '0' && at[slice.size] <= '9')
        slice.size++;
    return slice;
}

static bool
number_split(struct json_slice text, struct number *ret)
{
    const char *at = text.at;
    const char *end = at + text.size;
    struct number number = {0};

    if (at < end && *at == '-') {
        number.negative = true;
        at++;
    }
    number.whole = digits(at, end);
    at += number.whole.size;
    if (number.whole.size == 0 || (number.whole.size > 1 && number.whole.at[0] == '0'))
        return false;
    if (at < end && *at == '.') {
        number.fraction = digits(at + 1, end);
        at += 1 + number.fraction.size;
        if (number.fraction.size == 0)
            return false;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '-' || *at == '+'))
            number.exponent_negative = *at++ == '-';
        number.exponent = digits(at, end);
        at += number.exponent.size;
        if (number.exponent.size == 0)
            return false;
    }
    *ret = number;
    return at == end;
}

bool
json_number_valid(struct json_slice number)
{
    struct number parts;

    return number_split(number, &parts);
}

static char
digit_at(const struct number *number, size_t index)
{
    if (index < number->whole.size)
        return number->whole.at[index];
    index -= number->whole.size;
    return index < number->fraction.size ? number->fraction.at[index] : '0';
}

/* The value of the exponent, held to a range in which only zero is an integer that fits. */
static long
exponent_value(const struct number *number)
{
    long value = 0;

    for (size_t i = 0; i < number->exponent.size && value < 1000000; i++)
        value = value * 10 + (number->exponent.at[i] - '0');
    return number->exponent_negative ? -value : value;
}

/* The magnitude without any rounding: 1.5e1 is 15, 1e-1 is no integer. */
static bool
magnitude(const struct number *number, uint64_t *ret)
{
    const size_t count = number->whole.size + number->fraction.size;
    const long places = (long)number->whole.size + exponent_value(number);
    uint64_t value = 0;
    size_t significant = count;

    while (significant > 0 && digit_at(number, significant - 1) == '0')
        significant--;
    if (significant == 0) {
        *ret = 0;
        return true;
    }
    if (places < (long)significant)
        return false;
    for (long i = 0; i < places; i++) {
        const uint64_t digit = (uint64_t)(digit_at(number, (size_t)i) - '0');

        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

/* Up to 18 digits and nothing else: the usual case. */
static bool
plain_digits(struct json_slice text, uint64_t *ret)
{
    uint64_t value = 0;

    if (text.size == 0 || text.size > 18 || (text.size > 1 && text.at[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const unsigned digit = (unsigned)(text.at[i] - '0');

        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

bool
json_number_uint64(struct json_slice text, uint64_t *ret)
{
    struct number number;
    uint64_t value;

    if (plain_digits(text, ret))
        return true;
    if (!number_split(text, &number) || !magnitude(&number, &value) ||
        (number.negative && value != 0))
        return false;
    *ret = value;
    return true;
}

bool
json_number_int64(struct json_slice text, int64_t *ret)
{
    struct number number;
    uint64_t value;

    if (plain_digits(text, &value)) {
        *ret = (int64_t)value;
        return true;
    }
    if (!number_split(text, &number) || !magnitude(&number, &value))
        return false;
    if (value > (uint64_t)INT64_MAX + number.negative)
        return false;
    *ret = number.negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool
json_number_double(struct json_slice text, double *ret)
{
    char copy[512];
    double value;

    if (!json_number_valid(text) || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    value = strtod(copy, NULL);
    if (!isfinite(value))
        return false;
    *ret = value;
    return true;
}

static int
base64_digit(char character)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a' + 26;
    if (character >= '0' && character <= '9')
        return character - '0' + 52;
    if (character == '+' || character == '-')
        return 62;
    if (character == '/' || character == '_')
        return 63;
    return -1;
}

struct status
json_base64_read(struct json_slice text, struct arena *arena, bool *ret_ok,
                 ProtobufCBinaryData *ret)
{
    uint32_t bits = 0;
    unsigned held = 0;
    uint8_t *data, *at;

    *ret_ok = false;
    if (text.size % 4 == 0)
        for (int i = 0; i < 2 && text.size > 0 && text.at[text.size - 1] == '='; i++)
            text.size--;
    if (text.size % 4 == 1)
        return OK;
    TRY(need(at = data = arena_alloc(arena, text.size / 4 * 3 + 3)));
    for (size_t i = 0; i < text.size; i++) {
        const int digit = base64_digit(text.at[i]);

        if (digit < 0)
            return OK;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *at++ = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1u << held) - 1)) != 0)
        return OK; /* bits that no byte holds: two texts would mean the same */
    *ret_ok = true;
    ret->len = (size_t)(at - data);
    ret->data = ret->len > 0 ? data : NULL;
    return OK;
}

void
json_base64_write(const ProtobufCBinaryData *data, struct buffer *into)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char four[4];

    for (size_t i = 0; i < data->len; i += 3) {
        const size_t left = data->len - i;
        const uint32_t bits = (uint32_t)data->data[i] << 16 |
                              (left > 1 ? (uint32_t)data->data[i + 1] << 8 : 0) |
                              (left > 2 ? (uint32_t)data->data[i + 2] : 0);

        four[0] = alphabet[bits >> 18];
        four[1] = alphabet[bits >> 12 & 63];
        four[2] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        four[3] = left > 2 ? alphabet[bits & 63] : '=';
        buffer_put(into, four, sizeof four);
    }
}

/* Days since 1970-01-01 in the Gregorian calendar (years begin in March, so that the leap day
 * is the last). */
static int64_t
days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t era, year_of_era, day_of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    year_of_era = year - era * 400;
    day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - 719468;
}

static void
date_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t era, day_of_era, year_of_era, day_of_year, month;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

/* Takes `count` digits at *at; -1 when they are not there. */
static int
take_digits(struct json_slice *text, size_t count)
{
    int value = 0;

    if (text->size < count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (text->at[i] < '0' || text->at[i] > '9')
            return -1;
        value = value * 10 + (text->at[i] - '0');
    }
    text->at += count;
    text->size -= count;
    return value;
}

static bool
take_char(struct json_slice *text, char wanted)
{
    if (text->size == 0 || (text->at[0] != wanted && (text->at[0] & ~0x20) != wanted))
        return false;
    text->at++;
    text->size--;
    return true;
}

static bool
take_fraction(struct json_slice *text, int32_t *ret_nanos)
{
    int32_t scale = 100000000;
    int32_t nanos = 0;

    *ret_nanos = 0;
    if (!take_char(text, '.'))
        return true;
    if (text->size == 0 || text->at[0] < '0' || text->at[0] > '9')
        return false;
    for (; text->size > 0 && text->at[0] >= '0' && text->at[0] <= '9';
         text->at++, text->size--) {
        if (scale == 0)
            return false;
        nanos += (text->at[0] - '0') * scale;
        scale /= 10;
    }
    *ret_nanos = nanos;
    return true;
}

/* "Z", "+02:00" or "-05:30", as seconds to take away. */
static bool
take_offset(struct json_slice *text, int64_t *ret)
{
    int hours, minutes, sign;

    *ret = 0;
    if (take_char(text, 'Z'))
        return text->size == 0;
    sign = take_char(text, '+') ? 1 : take_char(text, '-') ? -1 : 0;
    hours = take_digits(text, 2);
    if (sign == 0 || hours < 0 || hours > 23 || !take_char(text, ':'))
        return false;
    minutes = take_digits(text, 2);
    *ret = sign * (hours * 3600 + minutes * 60);
    return minutes >= 0 && minutes < 60 && text->size == 0;
}

bool
json_time_read(struct json_slice text, int64_t *ret_seconds, int32_t *ret_nanos)
{
    static const uint8_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int year = take_digits(&text, 4);
    const int month = take_char(&text, '-') ? take_digits(&text, 2) : -1;
    const int day = take_char(&text, '-') ? take_digits(&text, 2) : -1;
    const int hour = take_char(&text, 'T') ? take_digits(&text, 2) : -1;
    const int minute = take_char(&text, ':') ? take_digits(&text, 2) : -1;
    const int second = take_char(&text, ':') ? take_digits(&text, 2) : -1;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t offset, seconds;

    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days[month - 1] ||
        (month == 2 && day == 29 && !leap))
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    if (!take_fraction(&text, ret_nanos) || !take_offset(&text, &offset))
        return false;
    seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *ret_seconds = seconds - offset;
    return *ret_seconds >= -62135596800 && *ret_seconds <= 253402300799;
}

bool
json_time_write(int64_t seconds, int32_t nanos, char ret[JSON_TIME_SIZE])
{
    int64_t year, rest, days;
    int month, day, width = 0;

    if (seconds < -62135596800 || seconds > 253402300799 || nanos < 0 || nanos > 999999999)
        return false;
    days = seconds / 86400 - (seconds % 86400 < 0);
    rest = seconds - days * 86400;
    date_from_days(days, &year, &month, &day);
    width = snprintf(ret, JSON_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month,
                     day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
    if (nanos % 1000000 == 0 && nanos > 0)
        width += snprintf(ret + width, 8, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0 && nanos > 0)
        width += snprintf(ret + width, 12, ".%06d", nanos / 1000);
    else if (nanos > 0)
        width += snprintf(ret + width, 12, ".%09d", nanos);
    memcpy(ret + width, "Z", 2);
    return true;
}

void
json_double_write(double value, bool single, char ret[JSON_DOUBLE_SIZE])
{
    const int most = single ? 9 : 17;

    if (!isfinite(value)) {
        snprintf(ret, JSON_DOUBLE_SIZE, "%s",
                 isnan(value) ? "\"NaN\""
                 : value > 0  ? "\"Infinity\""
                              : "\"-Infinity\"");
        return;
    }
    for (int precision = single ? 6 : 15; precision <= most; precision++) {
        snprintf(ret, JSON_DOUBLE_SIZE, "%.*g", precision, value);
        if (single ? strtof(ret, NULL) == (float)value : strtod(ret, NULL) == value)
            return;
    }
}
