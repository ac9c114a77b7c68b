#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/pg/pg_result.h"

/* pg_type.dat: these numbers never change. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = PG_OID_BYTEA,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_VARCHAR = 1043,
    OID_UUID = 2950,
};

#define NUMBER_SIZE 40 /* a uuid, or any number of ours, with its NUL */

/* One value on its way from the result to its slot. */
struct cell {
    const char *text; /* NUL-terminated unless `raw_bytes` */
    size_t size;
    bool null;
    bool raw_bytes; /* bytea in binary */
    char number[NUMBER_SIZE];
};

bool
pg_reads_binary(Oid type)
{
    switch (type) {
    case OID_BOOL:
    case OID_BYTEA:
    case OID_NAME:
    case OID_INT8:
    case OID_INT2:
    case OID_INT4:
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_UUID:
        return true;
    default:
        return false;
    }
}

static int64_t
big_endian(const uint8_t *bytes, size_t size)
{
    uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static void
uuid_text(const uint8_t bytes[16], char *into)
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *into++ = '-';
        *into++ = digits[bytes[i] >> 4];
        *into++ = digits[bytes[i] & 15];
    }
    *into = '\0';
}

/* A value in binary becomes text, but for bytea: numbers are few where bytes are sent. */
static void
binary_cell(Oid type, struct cell *cell)
{
    const uint8_t *bytes = (const uint8_t *)cell->text;

    switch (type) {
    case OID_BOOL:
        (void)snprintf(cell->number, NUMBER_SIZE, "%c", bytes[0] ? 't' : 'f');
        break;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        (void)snprintf(cell->number, NUMBER_SIZE, "%lld",
                       (long long)big_endian(bytes, cell->size));
        break;
    case OID_UUID:
        uuid_text(bytes, cell->number);
        break;
    case OID_BYTEA:
        cell->raw_bytes = true;
        return;
    default:
        return; /* text is text */
    }
    cell->text = cell->number;
    cell->size = strlen(cell->number);
}

static void
read_cell(const struct pg_result *result, int row, int column, struct cell *ret)
{
    *ret = (struct cell){
        .text = PQgetvalue(result->raw, row, column),
        .size = (size_t)PQgetlength(result->raw, row, column),
        .null = PQgetisnull(result->raw, row, column),
    };
    if (result->binary && !ret->null)
        binary_cell(PQftype(result->raw, column), ret);
}

static struct status
misfit(struct arena *arena, const char *wanted)
{
    return FAIL(arena, INTERNAL, "a column is not %s", wanted);
}

static struct status
to_i64(const struct cell *cell, int64_t min, int64_t max, struct arena *arena, int64_t *ret)
{
    char *end;
    long long value;

    if (cell->null) {
        *ret = 0;
        return OK;
    }
    errno = 0;
    value = strtoll(cell->text, &end, 10);
    if (errno || end == cell->text || *end || value < min || value > max)
        return misfit(arena, "an integer of its slot's range");
    *ret = value;
    return OK;
}

static struct status
to_f64(const struct cell *cell, struct arena *arena, double *ret)
{
    char *end;
    double value;

    if (cell->null) {
        *ret = 0;
        return OK;
    }
    value = strtod(cell->text, &end);
    if (end == cell->text || *end)
        return misfit(arena, "a number");
    *ret = value;
    return OK;
}

static struct status
to_bool(const struct cell *cell, struct arena *arena, bool *ret)
{
    if (!cell->null && strcmp(cell->text, "t") != 0 && strcmp(cell->text, "f") != 0)
        return misfit(arena, "a boolean");
    *ret = !cell->null && cell->text[0] == 't';
    return OK;
}

static int
hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

/* bytea in text is \x and two lower-case digits a byte. */
static struct status
hex_bytes(const struct cell *cell, struct arena *arena, const uint8_t **ret, size_t *ret_size)
{
    const char *at = cell->text + 2;
    uint8_t *bytes;
    size_t size;

    if (cell->size < 2 || cell->size % 2 || strncmp(cell->text, "\\x", 2) != 0)
        return misfit(arena, "bytea");
    size = cell->size / 2 - 1;
    TRY(need(bytes = arena_alloc(arena, size + 1)));
    for (size_t i = 0; i < size; i++, at += 2) {
        const int high = hex_digit(at[0]);
        const int low = hex_digit(at[1]);

        if (high < 0 || low < 0)
            return misfit(arena, "bytea");
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = bytes;
    *ret_size = size;
    return OK;
}

static struct status
to_bytes(const struct cell *cell, struct arena *arena, const struct pg_slot *slot)
{
    const uint8_t **ret = slot->into;

    if (cell->null) {
        *ret = (const uint8_t *)"";
        *slot->count = 0;
        return OK;
    }
    if (!cell->raw_bytes)
        return hex_bytes(cell, arena, ret, slot->count);
    TRY(need(*ret = (const uint8_t *)arena_copy_n(arena, cell->text, cell->size)));
    *slot->count = cell->size;
    return OK;
}

static struct status
to_text(const struct cell *cell, struct arena *arena, const char **ret)
{
    if (cell->raw_bytes)
        return misfit(arena, "text");
    if (cell->null || !cell->size) {
        *ret = "";
        return OK;
    }
    return need(*ret = arena_copy_n(arena, cell->text, cell->size));
}

static struct status
to_texts(const struct cell *cell, struct arena *arena, const struct pg_slot *slot)
{
    return pg_array_read(arena, cell->null ? "{}" : cell->text, slot->into, slot->count);
}

static struct status
to_i64s(const struct cell *cell, struct arena *arena, const struct pg_slot *slot)
{
    const char **texts = NULL;
    size_t count = 0;
    int64_t *values;

    TRY(pg_array_read(arena, cell->null ? "{}" : cell->text, &texts, &count));
    TRY(need(values = ARENA_ARRAY(arena, int64_t, count + 1)));
    for (size_t i = 0; i < count; i++) {
        const struct cell item = {.text = texts[i], .null = !texts[i]};

        TRY(to_i64(&item, INT64_MIN, INT64_MAX, arena, &values[i]));
    }
    *(int64_t **)slot->into = values;
    *slot->count = count;
    return OK;
}

static struct status
to_slot(const struct cell *cell, struct arena *arena, const struct pg_slot *slot)
{
    int64_t value = 0;

    switch (slot->kind) {
    case PG_TO_TEXT:
        return to_text(cell, arena, slot->into);
    case PG_TO_I64:
        return to_i64(cell, INT64_MIN, INT64_MAX, arena, slot->into);
    case PG_TO_U64:
        TRY(to_i64(cell, 0, INT64_MAX, arena, &value));
        *(uint64_t *)slot->into = (uint64_t)value;
        return OK;
    case PG_TO_I32:
        TRY(to_i64(cell, INT32_MIN, INT32_MAX, arena, &value));
        *(int32_t *)slot->into = (int32_t)value;
        return OK;
    case PG_TO_U32:
        TRY(to_i64(cell, 0, UINT32_MAX, arena, &value));
        *(uint32_t *)slot->into = (uint32_t)value;
        return OK;
    case PG_TO_F64:
        return to_f64(cell, arena, slot->into);
    case PG_TO_BOOL:
        return to_bool(cell, arena, slot->into);
    case PG_TO_BYTES:
        return to_bytes(cell, arena, slot);
    case PG_TO_TEXTS:
        return to_texts(cell, arena, slot);
    case PG_TO_I64S:
        return to_i64s(cell, arena, slot);
    case PG_TO_NOTHING:
        return OK;
    }
    return misfit(arena, "of a known kind");
}

struct status
pg_result_keep(struct pg_tx *tx, const struct pg_prepared *prepared, PGresult *raw,
               struct pg_rows *ret)
{
    struct pg_result *result = ARENA_NEW(tx->arena, struct pg_result);

    if (!result) {
        PQclear(raw);
        return need(result);
    }
    *result = (struct pg_result){
        .raw = raw,
        .binary = prepared->binary,
        .statement = prepared->statement->name,
        .status = OK,
        .next = tx->pg->results,
        .link = &tx->pg->results,
    };
    if (result->next)
        result->next->link = &result->next;
    tx->pg->results = result;
    *ret = (struct pg_rows){.result = result, .count = (size_t)PQntuples(raw)};
    return OK;
}

static void
result_clear(struct pg_result *result)
{
    if (!result->raw)
        return;
    PQclear(result->raw);
    result->raw = NULL;
    *result->link = result->next;
    if (result->next)
        result->next->link = result->link;
}

void
pg_results_clear(struct pg *pg)
{
    while (pg->results)
        result_clear(pg->results);
}

static struct status
read_row(struct pg_rows *rows, struct arena *arena, struct pg_slots out)
{
    const struct pg_result *result = rows->result;

    if (!result->raw)
        return FAIL(arena, INTERNAL, "rows of %s were read after their transaction",
                    result->statement);
    if ((size_t)PQnfields(result->raw) != out.count)
        return FAIL(arena, INTERNAL, "%s has %d columns, not %zu", result->statement,
                    PQnfields(result->raw), out.count);
    for (size_t column = 0; column < out.count; column++) {
        struct cell cell;

        read_cell(result, (int)rows->next, (int)column, &cell);
        TRY(to_slot(&cell, arena, &out.slots[column]));
    }
    return OK;
}

bool
pg_next_row(struct pg_rows *rows, struct arena *arena, struct pg_slots out)
{
    if (!rows->result || rows->next >= rows->count || failed(rows->result->status))
        return false;
    rows->result->status = read_row(rows, arena, out);
    if (failed(rows->result->status))
        return false;
    rows->next++;
    return true;
}

struct status
pg_rows_status(const struct pg_rows *rows)
{
    return rows->result ? rows->result->status : OK;
}

struct status
pg_one_row(struct pg_rows *rows, struct arena *arena, struct pg_slots out)
{
    if (!rows->count)
        return FAIL(arena, NOT_FOUND, "there is no such row");
    if (rows->count > 1)
        return FAIL(arena, INTERNAL, "%s gave more than one row", rows->result->statement);
    if (!pg_next_row(rows, arena, out))
        return failed(pg_rows_status(rows))
                   ? pg_rows_status(rows)
                   : FAIL(arena, INTERNAL, "the row has been read already");
    return OK;
}

void
pg_rows_clear(struct pg_rows *rows)
{
    if (rows->result)
        result_clear(rows->result);
    *rows = (struct pg_rows){0};
}
