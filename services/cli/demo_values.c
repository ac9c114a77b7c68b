/* Names, versions and dates in the demonstration's steps.  No I/O. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/cli/demo.h"

#define DAY_S 86400
#define OFFSET_MOST 20000 /* of a date, in its unit */

struct status
demo_values_init(struct demo_values *values, int32_t today, const char *password)
{
    *values = (struct demo_values){
        .ids = json_object(), .versions = json_object(), .today = today, .password = password};
    TRY(need(values->ids));
    return need(values->versions);
}

void
demo_values_fini(struct demo_values *values)
{
    json_decref(values->ids);
    json_decref(values->versions);
    *values = (struct demo_values){0};
}

static struct status
format_date(struct arena *arena, const struct tm *date, const char **ret)
{
    char text[sizeof "2026-11-22"];

    if (date->tm_year + 1900 < 1900 || date->tm_year + 1900 > 9999 ||
        strftime(text, sizeof text, "%Y-%m-%d", date) == 0)
        return FAIL(arena, INVALID_ARGUMENT, "the date is out of range");
    return need(*ret = arena_copy(arena, text));
}

struct status
demo_date(struct arena *arena, int32_t days, const char **ret)
{
    const time_t seconds = (time_t)days * DAY_S;
    struct tm date;

    TRY(need(gmtime_r(&seconds, &date)));
    return format_date(arena, &date, ret);
}

static int
days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 1 && leap ? 29 : days[month];
}

static void
add_days(struct tm *date, long days)
{
    const time_t seconds = timegm(date) + days * DAY_S;

    (void)gmtime_r(&seconds, date); /* fails only beyond the years of an int */
}

/* Months are the calendar's: a day that the month does not have becomes its last. */
static void
add_months(struct tm *date, long months)
{
    const long all = (long)date->tm_year * 12 + date->tm_mon + months;
    int last;

    /* Before 1900 is refused when it is written. */
    date->tm_year = all < 0 ? -1 : (int)(all / 12);
    date->tm_mon = all < 0 ? 0 : (int)(all % 12);
    last = days_of_month(date->tm_year + 1900, date->tm_mon);
    if (date->tm_mday > last)
        date->tm_mday = last;
}

/* What stands between "{today" and the end: "-400d+24m}". */
static struct status
read_date(const struct demo_values *values, struct arena *arena, const char *text,
          const char **ret)
{
    const time_t today = (time_t)values->today * DAY_S;
    struct tm date;

    TRY(need(gmtime_r(&today, &date)));
    while (*text == '+' || *text == '-') {
        char *end;
        const long amount = strtol(text, &end, 10);

        if (end == text || labs(amount) > OFFSET_MOST || !strchr("dmy", *end) || !*end)
            break;
        if (*end == 'd')
            add_days(&date, amount);
        else
            add_months(&date, *end == 'y' ? 12 * amount : amount);
        text = end + 1;
    }
    if (strcmp(text, "}") != 0)
        return FAIL(arena, INVALID_ARGUMENT, "a date is written like {today-400d+24m}");
    return format_date(arena, &date, ret);
}

static struct status
find_name(const struct demo_values *values, struct arena *arena, const char *name,
          const char **ret)
{
    static const char suffix[] = ".version";
    const size_t length = strlen(name);
    const bool version =
        length > sizeof suffix - 1 && strcmp(name + length - (sizeof suffix - 1), suffix) == 0;
    const char *found;
    char *plain;

    TRY(need(plain =
                 arena_copy_n(arena, name, version ? length - (sizeof suffix - 1) : length)));
    found = json_string_value(json_object_get(values->ids, plain));
    if (!found)
        return FAIL(arena, FAILED_PRECONDITION, "no step before has made %s", plain);
    if (version)
        found = json_string_value(json_object_get(values->versions, found));
    if (!found)
        return FAIL(arena, FAILED_PRECONDITION, "%s has no version", plain);
    *ret = found;
    return OK;
}

struct status
demo_values_text(const struct demo_values *values, struct arena *arena, const char *from,
                 const char **ret)
{
    static const char today[] = "{today";

    if (from[0] == '@')
        return find_name(values, arena, from + 1, ret);
    if (strncmp(from, today, sizeof today - 1) == 0)
        return read_date(values, arena, from + sizeof today - 1, ret);
    *ret = strcmp(from, "{password}") == 0 ? values->password : from;
    return OK;
}

static struct status
fill_string(const struct demo_values *values, struct arena *arena, const char *from,
            json_t **ret)
{
    const char *text;

    TRY(demo_values_text(values, arena, from, &text));
    return need(*ret = json_string(text));
}

static void
drop(json_t **json)
{
    json_decref(*json);
}

/* Steps are our own and nest no deeper than a request does. */
static struct status
fill_object(const struct demo_values *values, struct arena *arena, json_t *from, json_t **ret)
{
    scoped(drop) json_t *object = json_object();
    const char *key;
    json_t *value;

    TRY(need(object));
    json_object_foreach(from, key, value)
    {
        json_t *filled;

        TRY(demo_values_fill(values, arena, value, &filled));
        if (json_object_set_new(object, key, filled) != 0)
            return need(NULL);
    }
    *ret = json_incref(object);
    return OK;
}

static struct status
fill_array(const struct demo_values *values, struct arena *arena, json_t *from, json_t **ret)
{
    scoped(drop) json_t *array = json_array();

    TRY(need(array));
    for (size_t i = 0; i < json_array_size(from); i++) {
        json_t *filled;

        TRY(demo_values_fill(values, arena, json_array_get(from, i), &filled));
        if (json_array_append_new(array, filled) != 0)
            return need(NULL);
    }
    *ret = json_incref(array);
    return OK;
}

struct status
demo_values_fill(const struct demo_values *values, struct arena *arena, json_t *from,
                 json_t **ret)
{
    if (json_is_object(from))
        return fill_object(values, arena, from, ret);
    if (json_is_array(from))
        return fill_array(values, arena, from, ret);
    if (json_is_string(from))
        return fill_string(values, arena, json_string_value(from), ret);
    *ret = json_incref(from);
    return OK;
}

/* A resource carries its id first. */
static const char *
id_of(json_t *resource)
{
    return json_string_value(json_object_iter_value(json_object_iter(resource)));
}

static struct status
remember(struct demo_values *values, const char *name, json_t *resource)
{
    const char *id = id_of(resource);
    json_t *version = json_object_get(resource, "version");

    if (!id)
        return OK;
    if (name && json_object_set_new(values->ids, name, json_string(id)) != 0)
        return need(NULL);
    if (json_is_string(version) && json_object_set(values->versions, id, version) != 0)
        return need(NULL);
    return OK;
}

struct status
demo_values_learn(struct demo_values *values, const char *name, json_t *reply)
{
    const char *key;
    json_t *value;

    json_object_foreach(reply, key, value)
    {
        if (!json_is_object(value))
            continue;
        TRY(remember(values, name, value));
        name = NULL; /* the others have names of their own */
    }
    return OK;
}

/* "names/0/value" of an item. */
static const char *
key_of(json_t *item, struct arena *arena, const char *path)
{
    char *steps = arena_copy(arena, path);

    if (!steps)
        return NULL;
    for (char *save = NULL, *step = strtok_r(steps, "/", &save); step;
         step = strtok_r(NULL, "/", &save))
        item = json_is_array(item) ? json_array_get(item, strtoul(step, NULL, 10))
                                   : json_object_get(item, step);
    return json_string_value(item);
}

struct status
demo_values_learn_list(struct demo_values *values, struct arena *arena, json_t *list,
                       const char *prefix, const char *key)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        const char *name = key_of(item, arena, key);
        char *full;

        if (!name || !id_of(item))
            continue;
        TRY(need(full = arena_printf(arena, "%s%s", prefix, name)));
        if (json_object_get(values->ids, full))
            continue;
        if (json_object_set_new(values->ids, full, json_string(id_of(item))) != 0)
            return need(NULL);
    }
    return OK;
}
