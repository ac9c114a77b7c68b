#pragma once

/* Postgres: one connection, one thread, every wait with a deadline.
 *
 * All statements are prepared when the connection is made, so a typo stops the start; after a
 * lost connection the next transaction reconnects (with back-off) and prepares them again. With
 * `pooled` (a transaction pooler in between) they are prepared once as a check and then sent
 * unnamed.
 *
 * Failures become codes by sqlstate.def:
 *   UNAVAILABLE        cannot be reached, is starting or stopping
 *   DEADLINE_EXCEEDED  the scope's deadline passed (the statement is cancelled)
 *   ABORTED            serialization failure, deadlock, lock timeout
 *   ALREADY_EXISTS     unique violation;  FAILED_PRECONDITION  foreign key or check violation
 *   STORAGE_FULL       no disk;  INTERNAL  everything else (the text goes to the log only)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"

struct pg;

struct pg_statement {
    const char *name; /* unique in the process */
    const char *text; /* $1 .. $n */
};

struct pg_config {
    const char *dsn;      /* libpq keywords or URI, without password */
    const char *password; /* "" or NULL: none */
    const char *application_name;
    const struct pg_statement *const *const *rooms; /* statement lists; NULL at the end */
    const struct clock *clock;
    bool pooled;
};

/* Does not connect yet. */
must_use struct status pg_create(const struct pg_config *config, struct arena *arena,
                                 struct pg **ret);
void pg_destroy(struct pg **pg);

/* Connects and prepares if need be.  INTERNAL when a statement does not prepare: the log names
 * it. */
must_use struct status pg_connect(struct pg *pg, struct mono deadline, struct arena *arena);

/* Values in. */
struct pg_value {
    const char *text;   /* as sent to Postgres; NULL is SQL NULL */
    const void *binary; /* bytea */
    size_t size;
    enum { PG_TEXT, PG_I64, PG_F64, PG_BOOL, PG_BYTES, PG_TEXTS, PG_I64S, PG_NULL } kind;
    int64_t i64;
    double f64;
    const char *const *texts;
    const int64_t *i64s;
    size_t count;
};

static inline struct pg_value
pg_text(const char *text) /* NULL becomes SQL NULL */
{
    return (struct pg_value){.kind = text ? PG_TEXT : PG_NULL, .text = text};
}
static inline struct pg_value
pg_text_or_null(const char *text) /* "" becomes SQL NULL */
{
    return pg_text(text && *text ? text : NULL);
}
static inline struct pg_value
pg_i64(int64_t value)
{
    return (struct pg_value){.kind = PG_I64, .i64 = value};
}
static inline struct pg_value
pg_f64(double value)
{
    return (struct pg_value){.kind = PG_F64, .f64 = value};
}
static inline struct pg_value
pg_bool(bool value)
{
    return (struct pg_value){.kind = PG_BOOL, .i64 = value};
}
static inline struct pg_value
pg_bytes(const void *data, size_t size)
{
    return (struct pg_value){.kind = PG_BYTES, .binary = data, .size = size};
}
static inline struct pg_value
pg_texts(const char *const *texts, size_t count) /* text[]; NULL items become NULL */
{
    return (struct pg_value){.kind = PG_TEXTS, .texts = texts, .count = count};
}
static inline struct pg_value
pg_i64s(const int64_t *values, size_t count) /* bigint[] */
{
    return (struct pg_value){.kind = PG_I64S, .i64s = values, .count = count};
}

/* Values out.  Texts and bytes are copied into the arena.  NULL gives "" (an empty array, 0,
 * false) unless ret_null is used. */
struct pg_slot {
    enum {
        PG_TO_TEXT,
        PG_TO_I64,
        PG_TO_U64,
        PG_TO_I32,
        PG_TO_U32,
        PG_TO_F64,
        PG_TO_BOOL,
        PG_TO_BYTES,
        PG_TO_TEXTS,
        PG_TO_I64S,
        PG_TO_NOTHING
    } kind;
    void *into;
    size_t *count; /* PG_TO_BYTES: size; arrays: items */
};

static inline struct pg_slot
pg_to_text(const char **into)
{
    return (struct pg_slot){PG_TO_TEXT, into, NULL};
}
static inline struct pg_slot
pg_to_i64(int64_t *into)
{
    return (struct pg_slot){PG_TO_I64, into, NULL};
}
static inline struct pg_slot
pg_to_u64(uint64_t *into)
{
    return (struct pg_slot){PG_TO_U64, into, NULL};
}
static inline struct pg_slot
pg_to_i32(int32_t *into)
{
    return (struct pg_slot){PG_TO_I32, into, NULL};
}
static inline struct pg_slot
pg_to_u32(uint32_t *into)
{
    return (struct pg_slot){PG_TO_U32, into, NULL};
}
static inline struct pg_slot
pg_to_f64(double *into)
{
    return (struct pg_slot){PG_TO_F64, into, NULL};
}
static inline struct pg_slot
pg_to_bool(bool *into)
{
    return (struct pg_slot){PG_TO_BOOL, into, NULL};
}
static inline struct pg_slot
pg_to_bytes(const uint8_t **into, size_t *size)
{
    return (struct pg_slot){PG_TO_BYTES, into, size};
}
static inline struct pg_slot
pg_to_texts(const char ***into, size_t *count)
{
    return (struct pg_slot){PG_TO_TEXTS, into, count};
}
static inline struct pg_slot
pg_to_i64s(int64_t **into, size_t *count)
{
    return (struct pg_slot){PG_TO_I64S, into, count};
}

struct pg_args {
    size_t count;
    const struct pg_value *values;
};
struct pg_slots {
    size_t count;
    const struct pg_slot *slots;
};
#define PG_COUNT_(type, ...) (sizeof((const type[]){__VA_ARGS__}) / sizeof(type))
#define PG_IN(...)                                                                             \
    ((struct pg_args){PG_COUNT_(struct pg_value, __VA_ARGS__),                                 \
                      (const struct pg_value[]){__VA_ARGS__}})
#define PG_NONE ((struct pg_args){0, NULL})
#define PG_OUT(...)                                                                            \
    ((struct pg_slots){PG_COUNT_(struct pg_slot, __VA_ARGS__),                                 \
                       (const struct pg_slot[]){__VA_ARGS__}})
