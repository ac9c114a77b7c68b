#include <stdio.h>
#include <string.h>

#include "common/pg/pg_link.h"

#define I64_TEXT_SIZE 21

/* Two passes: the first finds the size, the second writes. */
static size_t
write_text_item(const char *text, char *into)
{
    size_t size = 0;

    if (!text) {
        if (into)
            memcpy(into, "NULL", 4);
        return 4;
    }
    if (into)
        into[0] = '"';
    size = 1;
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\') {
            if (into)
                into[size] = '\\';
            size++;
        }
        if (into)
            into[size] = *at;
        size++;
    }
    if (into)
        into[size] = '"';
    return size + 1;
}

static struct status
write_texts(struct arena *arena, const struct pg_value *value, const char **ret,
            size_t *ret_size)
{
    size_t size = 2;
    size_t at = 1;
    char *text;

    for (size_t i = 0; i < value->count; i++)
        size += write_text_item(value->texts[i], NULL) + (i > 0);
    TRY(need(text = arena_alloc(arena, size + 1)));
    text[0] = '{';
    for (size_t i = 0; i < value->count; i++) {
        if (i)
            text[at++] = ',';
        at += write_text_item(value->texts[i], text + at);
    }
    text[at] = '}';
    *ret = text;
    *ret_size = size;
    return OK;
}

static struct status
write_i64s(struct arena *arena, const struct pg_value *value, const char **ret,
           size_t *ret_size)
{
    char *text = arena_calloc(arena, value->count + 1, I64_TEXT_SIZE + 2);
    char *at = text;

    TRY(need(text));
    *at++ = '{';
    for (size_t i = 0; i < value->count; i++)
        at +=
            snprintf(at, I64_TEXT_SIZE + 1, "%s%lld", i ? "," : "", (long long)value->i64s[i]);
    *at++ = '}';
    *ret = text;
    *ret_size = (size_t)(at - text);
    return OK;
}

struct status
pg_array_write(struct arena *arena, const struct pg_value *value, const char **ret,
               size_t *ret_size)
{
    return value->kind == PG_TEXTS ? write_texts(arena, value, ret, ret_size)
                                   : write_i64s(arena, value, ret, ret_size);
}

static struct status
broken(struct arena *arena)
{
    return FAIL(arena, INTERNAL, "a column is not a plain array");
}

/* One item, its quotes and backslashes removed, into `into`, which has room for all of `text`.
 * Gives the place after it. */
static const char *
read_item(const char *at, char *into, bool *ret_quoted)
{
    const bool quoted = *at == '"';

    *ret_quoted = quoted;
    if (quoted)
        at++;
    for (; *at; at++) {
        if (quoted ? *at == '"' : *at == ',' || *at == '}')
            break;
        if (*at == '{')
            if (!quoted)
                return NULL; /* more than one dimension */
        if (*at == '\\' && *++at == '\0')
            return NULL;
        *into++ = *at;
    }
    *into = '\0';
    if (quoted && *at++ != '"')
        return NULL;
    return at;
}

struct status
pg_array_read(struct arena *arena, const char *text, const char ***ret, size_t *ret_count)
{
    const char *at = text + 1;
    const char **items;
    size_t count = 0;
    size_t most = 1;
    char *copy;

    if (text[0] != '{')
        return broken(arena); /* also bounds other than 1, which nobody writes */
    for (const char *c = text; *c; c++)
        most += *c == ',';
    TRY(need(items = ARENA_ARRAY(arena, const char *, most)));
    TRY(need(copy = arena_alloc(arena, strlen(text) + most)));
    while (*at != '}') {
        bool quoted;

        at = read_item(at, copy, &quoted);
        if (!at || count == most || (*at != ',' && *at != '}') || (*at == ',' && at[1] == '}'))
            return broken(arena);
        items[count++] = !quoted && strcmp(copy, "NULL") == 0 ? NULL : copy;
        copy += strlen(copy) + 1;
        at += *at == ',';
    }
    if (at[1])
        return broken(arena);
    *ret = items;
    *ret_count = count;
    return OK;
}

static void
put_text(struct pg_encoded *encoded, size_t i, const char *text, size_t size)
{
    encoded->values[i] = text;
    encoded->sizes[i] = (int)size;
    encoded->formats[i] = 0;
}

static void
put_bytes(struct pg_encoded *encoded, size_t i, const struct pg_value *value)
{
    encoded->values[i] = value->size ? value->binary : "";
    encoded->sizes[i] = (int)value->size;
    encoded->formats[i] = 1;
}

static struct status
encode_one(struct arena *arena, const struct pg_value *value, size_t i, struct pg_encoded *ret)
{
    const char *text = NULL;
    size_t size = 0;

    switch (value->kind) {
    case PG_TEXT:
        put_text(ret, i, value->text, 0); /* libpq measures texts itself */
        return OK;
    case PG_I64:
        (void)snprintf(ret->numbers[i], sizeof ret->numbers[i], "%lld", (long long)value->i64);
        put_text(ret, i, ret->numbers[i], 0);
        return OK;
    case PG_F64:
        (void)snprintf(ret->numbers[i], sizeof ret->numbers[i], "%.17g", value->f64);
        put_text(ret, i, ret->numbers[i], 0);
        return OK;
    case PG_BOOL:
        put_text(ret, i, value->i64 ? "t" : "f", 0);
        return OK;
    case PG_BYTES:
        put_bytes(ret, i, value);
        return OK;
    case PG_TEXTS:
    case PG_I64S:
        TRY(pg_array_write(arena, value, &text, &size));
        put_text(ret, i, text, size);
        return OK;
    case PG_NULL:
        put_text(ret, i, NULL, 0);
        return OK;
    }
    return FAIL(arena, INTERNAL, "a parameter is of no known kind");
}

struct status
pg_encode(struct arena *arena, struct pg_args in, struct pg_encoded *ret)
{
    if (in.count > PG_VALUES_MAX)
        return FAIL(arena, INTERNAL, "more than %d parameters", PG_VALUES_MAX);
    for (size_t i = 0; i < in.count; i++) {
        if (in.values[i].size > INT32_MAX)
            return FAIL(arena, TOO_LARGE, "a value is larger than 2 GiB");
        TRY(encode_one(arena, &in.values[i], i, ret));
    }
    return OK;
}
