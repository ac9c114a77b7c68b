#include "services/registry/programmes/show.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "services/registry/programmes/labels.h"

/* A space that does not break a line: between a number and its unit, and between thousands. */
#define NBSP "\xc2\xa0"

static bool
parse_number(const char *text, int64_t *ret)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return false;
    *ret = value;
    return true;
}

static const char *
decimal_sign(enum lang lang)
{
    return lang == LANG_EN ? "." : ",";
}

/* Thousandths with at least `least` decimals: 967 is 0.967, 1000 is 1.00. */
static const char *
show_thousandths(const struct show *show, int64_t value, int least)
{
    const uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char decimals[4];
    int count = 3;

    snprintf(decimals, sizeof decimals, "%03u", (unsigned)(size % 1000));
    while (count > least && decimals[count - 1] == '0')
        count--;
    return arena_printf(show->arena, "%s%" PRIu64 "%s%.*s", value < 0 ? "-" : "", size / 1000,
                        count ? decimal_sign(show->lang) : "", count, decimals);
}

static const char *
show_percent(const struct show *show, int64_t thousandths)
{
    const char *space = show->lang == LANG_EN ? "" : NBSP;
    const int64_t whole = thousandths / 10, tenth = thousandths % 10;

    if (!tenth)
        return arena_printf(show->arena, "%" PRId64 "%s%%", whole, space);
    return arena_printf(show->arena, "%" PRId64 "%s%" PRId64 "%s%%", whole,
                        decimal_sign(show->lang), tenth, space);
}

/* Digits in groups of three. */
static const char *
show_grouped(const struct show *show, uint64_t value)
{
    const char *mark = show->lang == LANG_EN ? "," : NBSP;
    const char *rest;

    if (value < 1000)
        return arena_printf(show->arena, "%" PRIu64, value);
    rest = show_grouped(show, value / 1000);
    if (!rest)
        return NULL;
    return arena_printf(show->arena, "%s%s%03u", rest, mark, (unsigned)(value % 1000));
}

/* "10000000 SEK" is 100 000 SEK. */
static const char *
show_money(const struct show *show, const char *value)
{
    const char *space = strchr(value, ' ');
    const char *digits = space ? arena_copy_n(show->arena, value, (size_t)(space - value)) : "";
    const char *amount;
    int64_t minor;

    if (!digits)
        return NULL;
    if (!parse_number(digits, &minor) || minor < 0)
        return value;
    amount = show_grouped(show, (uint64_t)minor / 100);
    if (amount && minor % 100)
        amount = arena_printf(show->arena, "%s%s%02d", amount, decimal_sign(show->lang),
                              (int)(minor % 100));
    if (!amount)
        return NULL;
    if (show->lang == LANG_EN)
        return arena_printf(show->arena, "%s" NBSP "%s", space + 1, amount);
    return arena_printf(show->arena, "%s" NBSP "%s", amount, space + 1);
}

static const char *
show_unit(const struct show *show, int64_t count, char unit)
{
    static const char *const months[LANG_COUNT][2] = {
        {"månad", "månader"}, {"kuukausi", "kuukautta"}, {"month", "months"}};
    static const char *const days[LANG_COUNT][2] = {
        {"dag", "dagar"}, {"päivä", "päivää"}, {"day", "days"}};
    const char *const *forms = unit == 'm' ? months[show->lang] : days[show->lang];

    return arena_printf(show->arena, "%" PRId64 " %s", count, forms[count == 1 ? 0 : 1]);
}

static const char *const joint_and[LANG_COUNT] = {" och ", " ja ", " and "};
static const char *const joint_or[LANG_COUNT] = {" eller ", " tai ", " or "};

/* "25m", "24m1d", "3d". */
static const char *
show_span(const struct show *show, const char *value)
{
    const char *first, *second;
    char *end;
    int64_t count;

    if (!isdigit((unsigned char)*value))
        return value;
    count = strtoll(value, &end, 10);
    if ((*end != 'm' && *end != 'd') || !(first = show_unit(show, count, *end)))
        return *end == 'm' || *end == 'd' ? NULL : value;
    if (!end[1])
        return first;
    count = strtoll(end + 1, &end, 10);
    second = show_unit(show, count, 'd');
    if (!second)
        return NULL;
    return arena_printf(show->arena, "%s%s%s", first, joint_and[show->lang], second);
}

static const char *
append(const struct show *show, const char *list, const char *joint, const char *item)
{
    if (!list || !item)
        return NULL;
    return *list ? arena_printf(show->arena, "%s%s%s", list, joint, item) : item;
}

static const char *
show_codes(const struct show *show, const char *value, bool joined_by_or)
{
    const char *last = joined_by_or ? joint_or[show->lang] : joint_and[show->lang];
    const char *list = "";

    while (*value && list) {
        const size_t size = strcspn(value, ",");
        const bool is_last = !value[size];
        const char *code = arena_copy_n(show->arena, value, size);
        if (!code)
            return NULL;
        list = append(show, list, is_last ? last : ", ",
                      label_shown(show->set, code, show->lang, show->arena));
        value += size + (is_last ? 0 : 1);
    }
    return list;
}

static const char *
show_path(const struct show *show, const char *value)
{
    const char *list = "";

    while (*value && list) {
        const char *next = strstr(value, " > ");
        const size_t size = next ? (size_t)(next - value) : strlen(value);
        list = append(show, list, " – ", arena_copy_n(show->arena, value, size));
        value += size + (next ? 3 : 0);
    }
    return list;
}

static const char *
show_flag(const struct show *show, const char *value)
{
    static const char *const yes[LANG_COUNT] = {"ja", "kyllä", "yes"};
    static const char *const no[LANG_COUNT] = {"nej", "ei", "no"};

    return !strcmp(value, "yes") ? yes[show->lang] : no[show->lang];
}

const char *
show_value(const struct show *show, enum rule_value_kind kind, const char *value,
           bool joined_by_or)
{
    int64_t number;

    if (!*value)
        return "–";
    switch (kind) {
    case RULE_VALUE_RATIO:
        return parse_number(value, &number) ? show_thousandths(show, number, 2) : value;
    case RULE_VALUE_PERCENT:
        return parse_number(value, &number) ? show_percent(show, number) : value;
    case RULE_VALUE_SPAN:
        return show_span(show, value);
    case RULE_VALUE_MONEY:
        return show_money(show, value);
    case RULE_VALUE_CODES:
        return show_codes(show, value, joined_by_or);
    case RULE_VALUE_FLAG:
        return show_flag(show, value);
    case RULE_VALUE_PATH:
        return show_path(show, value);
    case RULE_VALUE_TEXT:
    case RULE_VALUE_NUMBER:
    case RULE_VALUE_DATE:
        break;
    }
    return value;
}
