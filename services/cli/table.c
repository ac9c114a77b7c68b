/* A CSV with a header line, as the importers read it. */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "services/cli/import.h"

int
table_column(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcasecmp(table->names[i], name) == 0)
            return (int)i;
    return -1;
}

struct status
table_bad(const struct table *table, struct arena *arena, const char *column,
          const char *reason)
{
    char *place = arena_printf(arena, "line %zu, column %s", table->csv.line, column);

    TRY(need(place));
    return FAIL_FIELD(arena, place, "%s", reason);
}

struct status
table_open(struct table *table, const struct source *source, struct arena *arena)
{
    csv_init(&table->csv, source->text, source->size, 0);
    TRY(csv_next(&table->csv, arena, table->names, &table->count));
    if (table->count == 0)
        return FAIL_FIELD(arena, "line 1", "%s has no header", source->name);
    for (size_t i = 0; i < table->count; i++)
        if (table_column(table, table->names[i]) != (int)i)
            return table_bad(table, arena, table->names[i], "the column comes twice");
    return OK;
}

struct status
table_next(struct table *table, struct arena *arena, bool *ret_any)
{
    size_t count;

    TRY(csv_next(&table->csv, arena, table->fields, &count));
    *ret_any = count > 0;
    return OK;
}

const char *
table_field(const struct table *table, int column)
{
    return column < 0 ? "" : table->fields[column];
}

struct status
table_only(const struct table *table, struct arena *arena, const char *const *names)
{
    for (size_t i = 0; i < table->count; i++) {
        size_t at = 0;

        while (names[at] && strcasecmp(names[at], table->names[i]) != 0)
            at++;
        if (!names[at])
            return table_bad(table, arena, table->names[i], "is not a column of this import");
    }
    return OK;
}

struct status
table_number(const struct table *table, struct arena *arena, const char *column, uint32_t most,
             uint32_t *ret)
{
    const char *text = table_field(table, table_column(table, column));
    uint64_t value = 0;

    for (const char *c = text; *c; c++) {
        if (!isdigit((unsigned char)*c))
            return table_bad(table, arena, column, "is not a whole number");
        value = value * 10 + (uint64_t)(*c - '0');
        if (value > most)
            return table_bad(table, arena, column, "is too large");
    }
    *ret = (uint32_t)value;
    return OK;
}

int
import_enum(const ProtobufCEnumDescriptor *descriptor, const char *name)
{
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        const char *known = descriptor->values[i].name;
        size_t at = 0;

        while (known[at] &&
               (name[at] == '-' ? '_' : toupper((unsigned char)name[at])) == known[at])
            at++;
        if (!known[at] && !name[at])
            return descriptor->values[i].value;
    }
    return -1;
}
