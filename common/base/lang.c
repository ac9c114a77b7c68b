#include "common/base/lang.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

static const char *const tags[LANG_COUNT] = {"sv", "fi", "en"};

/* LANG_COUNT when the first `size` bytes are none of ours; a region after '-' is passed over.
 */
static enum lang
tag_find(const char *tag, size_t size)
{
    const char *region = memchr(tag, '-', size);
    const size_t primary = region ? (size_t)(region - tag) : size;

    for (int i = 0; i < LANG_COUNT; i++)
        if (primary == 2 && !strncasecmp(tag, tags[i], 2))
            return (enum lang)i;
    return LANG_COUNT;
}

enum lang
lang_parse(const char *tag)
{
    const enum lang lang = tag ? tag_find(tag, strlen(tag)) : LANG_COUNT;

    return lang == LANG_COUNT ? LANG_EN : lang;
}

/* The q value after a range, in thousandths; 1000 when none stands there, 0 when it is broken.
 */
static int
quality(const char *at, const char *end)
{
    int thousandths, place = 100;

    while (at < end && (*at == ' ' || *at == '\t' || *at == ';'))
        at++;
    if (at == end)
        return 1000;
    if (end - at < 3 || strncasecmp(at, "q=", 2) || (at[2] != '0' && at[2] != '1'))
        return 0;
    thousandths = (at[2] - '0') * 1000;
    at += 3;
    if (at < end && *at == '.')
        for (at++; at < end && *at >= '0' && *at <= '9'; at++, place /= 10)
            thousandths += (*at - '0') * place;
    return thousandths > 1000 ? 1000 : thousandths;
}

static size_t
span(const char *at, const char *end, const char *stop)
{
    size_t size = 0;

    while (at + size < end && !strchr(stop, at[size]))
        size++;
    return size;
}

/* What a header says of each language; -1: nothing.  The earlier of two equals wins. */
struct wishes {
    int quality[LANG_COUNT];
    int order[LANG_COUNT];
    int any; /* of "*": those that are not named */
};

static void
wish(struct wishes *wishes, const char *range, const char *end, int order)
{
    const size_t size = span(range, end, " \t;");
    const int q = quality(range + size, end);
    const enum lang lang = tag_find(range, size);

    if (size == 1 && *range == '*')
        wishes->any = q;
    if (lang == LANG_COUNT || q <= wishes->quality[lang])
        return;
    wishes->quality[lang] = q;
    wishes->order[lang] = order;
}

enum lang
lang_negotiate(const char *header)
{
    /* Among languages that only "*" names, English comes first. */
    struct wishes wishes = {{-1, -1, -1}, {INT_MAX, INT_MAX, INT_MAX - 1}, 0};
    enum lang best = LANG_EN;
    int order = 0;

    for (const char *at = header ? header : ""; *at; order++) {
        const char *end = at + strcspn(at, ",");

        at += strspn(at, " \t");
        if (at < end)
            wish(&wishes, at, end, order);
        at = *end ? end + 1 : end;
    }
    for (int i = 0; i < LANG_COUNT; i++)
        if (wishes.quality[i] < 0)
            wishes.quality[i] = wishes.any;
    for (int i = 0; i < LANG_COUNT; i++)
        if (wishes.quality[i] > wishes.quality[best] ||
            (wishes.quality[i] == wishes.quality[best] && wishes.quality[i] > 0 &&
             wishes.order[i] < wishes.order[best]))
            best = (enum lang)i;
    return best;
}

const char *
lang_tag(enum lang lang)
{
    return tags[lang];
}

/* The value of the placeholder that starts at '{', and its size with the braces; NULL: none. */
static const char *
placeholder(const char *at, const struct text_value *values, size_t count, size_t *ret_size)
{
    const size_t name = strcspn(at + 1, "{}");

    if (at[1 + name] != '}')
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (strlen(values[i].name) == name && !memcmp(values[i].name, at + 1, name)) {
            *ret_size = name + 2;
            return values[i].value;
        }
    return NULL;
}

/* Writes to `into` unless it is NULL; returns the size. */
static size_t
fill(char *into, const char *pattern, const struct text_value *values, size_t count)
{
    size_t total = 0;

    while (*pattern) {
        size_t consumed = 1, size = 1;
        const char *piece =
            *pattern == '{' ? placeholder(pattern, values, count, &consumed) : NULL;

        if (piece)
            size = strlen(piece);
        else
            piece = pattern;
        if (into)
            memcpy(into + total, piece, size);
        total += size;
        pattern += consumed;
    }
    return total;
}

char *
text_fill(struct arena *arena, const char *pattern, const struct text_value *values,
          size_t count)
{
    char *text = arena_alloc(arena, fill(NULL, pattern, values, count) + 1);

    if (text)
        (void)fill(text, pattern, values, count); /* the size is known */
    return text;
}
