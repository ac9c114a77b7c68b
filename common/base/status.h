#pragma once

/* How a function says whether it worked.
 *
 * A status is passed by value.  Its texts live in the arena they were made in, or for ever.
 * Whoever passes a status up adds nothing; whoever handles it logs it, once.
 */

#include <stdbool.h>

#include "common/base/attr.h"

struct arena;

enum code {
#define CODE(name, number, http, retry, meaning) CODE_##name = number,
#include "common/base/code.def"
#undef CODE
};

enum retry { RETRY_NEVER, RETRY_ELSEWHERE, RETRY_LATER, RETRY_AGAIN };

struct status {
    enum code code;
    const char *detail; /* one sentence in English, or NULL for OK */
    const char *field;  /* path of the field at fault, "skills[3].concept_id", or NULL */
};

#define OK ((struct status){.code = CODE_OK})

static inline bool
failed(struct status status)
{
    return status.code != CODE_OK;
}

/* Passes a failure up. */
#define TRY(step)                                                                              \
    do {                                                                                       \
        const struct status try_status_ = (step);                                              \
        if (failed(try_status_))                                                               \
            return try_status_;                                                                \
    } while (0)

/* FAIL(arena, NOT_FOUND, "organisation %s", id) */
#define FAIL(arena, name, ...) status_make((arena), CODE_##name, __VA_ARGS__)

/* FAIL_FIELD(arena, "needs[2].text", "must not be empty"): INVALID_ARGUMENT that names a field.
 */
#define FAIL_FIELD(arena, field, ...) status_make_field((arena), (field), __VA_ARGS__)

/* `arena` may be NULL or full: then the status keeps its code and has a fixed text. */
must_use printf_like(3, 4) struct status
    status_make(struct arena *arena, enum code code, const char *format, ...);
must_use printf_like(3, 4) struct status
    status_make_field(struct arena *arena, const char *field, const char *format, ...);

/* RESOURCE_EXHAUSTED when `memory` is NULL: TRY(need(p = arena_alloc(arena, size))). */
must_use struct status need(const void *memory);

/* Names, as in status.proto: "NOT_FOUND".  An unknown number gives "INTERNAL", 500, NEVER. */
const char *code_name(enum code code);
const char *code_meaning(enum code code);
int code_http(enum code code);
enum retry code_retry(enum code code);
bool code_known(int number);
