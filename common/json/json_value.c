#include "common/json/json_token.h"

#include <stdlib.h>
#include <string.h>

/* The names of the objects that are open; those of the innermost stand last. */
struct names {
    struct json_slice *items;
    size_t count, room;
};

static struct status take_value(struct json_reader *reader, struct names *names);

static struct status
add_name(struct json_reader *reader, struct names *names, struct json_slice name)
{
    struct json_slice *items;

    if (names->count == names->room) {
        names->room = names->room ? names->room * 2 : 8;
        TRY(need(items = ARENA_ARRAY(reader->arena, struct json_slice, names->room)));
        if (names->count > 0)
            memcpy(items, names->items, names->count * sizeof *items);
        names->items = items;
    }
    names->items[names->count++] = name;
    return OK;
}

static int
compare_names(const void *left, const void *right)
{
    const struct json_slice *a = left, *b = right;

    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return memcmp(a->at, b->at, a->size);
}

/* Refuses a name that stands twice among those from `first` on. */
static struct status
check_names(struct json_reader *reader, struct names *names, size_t first)
{
    const size_t count = names->count - first;
    struct json_slice *items;

    if (count < 2)
        return OK;
    items = names->items + first;
    qsort(items, count, sizeof *items, compare_names);
    for (size_t i = 1; i < count; i++)
        if (compare_names(&items[i - 1], &items[i]) == 0) {
            reader->path[reader->depth - 1] =
                (struct json_step){JSON_STEP_NAME, items[i].at, items[i].size};
            return json_refuse(reader, "this member is here twice");
        }
    return OK;
}

static struct status
take_object(struct json_reader *reader, struct names *names)
{
    const size_t first = names->count;
    struct json_slice name;

    TRY(json_open(reader));
    if (!json_accept(reader, '}')) {
        do {
            TRY(json_take_key(reader, &name));
            TRY(add_name(reader, names, name));
            TRY(take_value(reader, names));
        } while (json_accept(reader, ','));
        if (!json_accept(reader, '}'))
            return json_refuse(reader, "an object goes on with , or ends with }");
    }
    TRY(check_names(reader, names, first));
    names->count = first;
    reader->depth--;
    return OK;
}

static struct status
take_list(struct json_reader *reader, struct names *names)
{
    size_t index = 0;

    TRY(json_open(reader));
    if (!json_accept(reader, ']')) {
        do {
            reader->path[reader->depth - 1] =
                (struct json_step){JSON_STEP_INDEX, NULL, index++};
            TRY(take_value(reader, names));
        } while (json_accept(reader, ','));
        if (!json_accept(reader, ']'))
            return json_refuse(reader, "a list goes on with , or ends with ]");
    }
    reader->depth--;
    return OK;
}

static struct status
take_value(struct json_reader *reader, struct names *names)
{
    struct json_slice text;
    enum json_token token;

    TRY(json_take_token(reader, false, &token, &text));
    if (token == JSON_TOKEN_OBJECT)
        return take_object(reader, names);
    return token == JSON_TOKEN_ARRAY ? take_list(reader, names) : OK;
}

struct status
json_take_value(struct json_reader *reader, struct json_slice *ret)
{
    struct names names = {0};
    const char *start;

    (void)json_peek(reader); /* moves to the value */
    start = reader->at;
    TRY(take_value(reader, &names));
    *ret = (struct json_slice){start, (size_t)(reader->at - start)};
    return OK;
}

struct status
json_value_check(const char *text, size_t size, struct arena *arena)
{
    struct json_reader reader = {.at = text, .end = text + size, .arena = arena};
    struct json_slice value;

    if (size > JSON_TEXT_BYTES)
        return FAIL(arena, TOO_LARGE, "the text is larger than %zu bytes", JSON_TEXT_BYTES);
    TRY(json_take_value(&reader, &value));
    if (json_peek(&reader) != '\0' || reader.at != reader.end)
        return json_refuse(&reader, "something follows the value");
    return OK;
}

/* The end of the string whose quote stands at `at`, behind its closing quote. */
static const char *
end_of_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

void
json_value_write(const char *text, size_t size, struct buffer *into)
{
    const char *at = text, *const end = text + size;

    while (at < end) {
        const char *start = at;

        while (at < end && !strchr(" \t\r\n", *at))
            at = *at == '"' ? end_of_string(at, end) : at + 1;
        buffer_put(into, start, (size_t)(at - start));
        while (at < end && strchr(" \t\r\n", *at))
            at++;
    }
}
