#include "common/base/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/arena.h"
#include "common/base/utf8.h"

/* A detail is one sentence, not a copy of somebody's input: the rest is cut off. */
#define DETAIL_BYTES 1024

struct code_row {
    int number;
    const char *name;
    int http;
    enum retry retry;
    const char *meaning;
};

static const struct code_row rows[] = {
#define CODE(name, number, http, retry, meaning) {number, #name, http, RETRY_##retry, meaning},
#include "common/base/code.def"
#undef CODE
};

static const struct code_row *
row_find(int number)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

static const struct code_row *
row_get(enum code code)
{
    const struct code_row *row = row_find((int)code);

    return row ? row : row_find(CODE_INTERNAL);
}

static printf_like(4, 0) struct status make(struct arena *arena, enum code code,
                                            const char *field, const char *format, va_list args)
{
    struct status status = {.code = code, .detail = row_get(code)->meaning};
    char text[DETAIL_BYTES + 4]; /* so that a cut sees what follows */
    const int size = vsnprintf(text, sizeof text, format, args);
    const char *detail;

    if (!arena || size < 0)
        return status;
    text[utf8_cut(text, DETAIL_BYTES)] = '\0';
    detail = arena_copy(arena, text);
    if (detail)
        status.detail = detail;
    if (field)
        status.field = arena_copy(arena, field);
    return status;
}

struct status
status_make(struct arena *arena, enum code code, const char *format, ...)
{
    struct status status;
    va_list args;

    va_start(args, format);
    status = make(arena, code, NULL, format, args);
    va_end(args);
    return status;
}

struct status
status_make_field(struct arena *arena, const char *field, const char *format, ...)
{
    struct status status;
    va_list args;

    va_start(args, format);
    status = make(arena, CODE_INVALID_ARGUMENT, field, format, args);
    va_end(args);
    return status;
}

struct status
need(const void *memory)
{
    if (memory)
        return OK;
    return (struct status){.code = CODE_RESOURCE_EXHAUSTED,
                           .detail = "this needs more memory than one call may use"};
}

const char *
code_name(enum code code)
{
    return row_get(code)->name;
}

const char *
code_meaning(enum code code)
{
    return row_get(code)->meaning;
}

int
code_http(enum code code)
{
    return row_get(code)->http;
}

enum retry
code_retry(enum code code)
{
    return row_get(code)->retry;
}

bool
code_known(int number)
{
    return row_find(number) != NULL;
}
