#include "common/base/csv.h"

#include <string.h>

#include "common/base/utf8.h"

void
csv_init(struct csv *csv, const char *text, size_t size, char separator)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool quoted = false;

    *csv = (struct csv){
        .text = text, .end = text + size, .at = text, .separator = separator, .next_line = 1};
    if (size >= 3 && memcmp(text, mark, 3) == 0)
        csv->at += 3;
    if (separator)
        return;
    csv->separator = ',';
    for (const char *c = csv->at; c < csv->end && (quoted || *c != '\n'); c++) {
        quoted ^= *c == '"';
        if (!quoted && (*c == ',' || *c == ';' || *c == '\t')) {
            csv->separator = *c;
            return;
        }
    }
}

static struct status
bad(const struct csv *csv, struct arena *arena, size_t column, const char *reason)
{
    char *place = column ? arena_printf(arena, "line %zu, column %zu", csv->line, column)
                         : arena_printf(arena, "line %zu", csv->line);

    TRY(need(place));
    return FAIL_FIELD(arena, place, "%s", reason);
}

/* A quoted field, from after its opening quote; *at is left after the closing one. */
static struct status
read_quoted(struct csv *csv, struct arena *arena, size_t column, const char **ret)
{
    const char *from = csv->at;
    const char *close = from;
    size_t quotes = 0;
    char *field, *into;

    for (;; close++) {
        if (close == csv->end)
            return bad(csv, arena, column, "a quote is never closed");
        if (*close == '\n')
            csv->next_line++;
        if (*close != '"')
            continue;
        if (close + 1 == csv->end || close[1] != '"')
            break;
        quotes++;
        close++;
    }
    csv->at = close + 1;
    if (!utf8_text(from, (size_t)(close - from)))
        return bad(csv, arena, column, "the text is not UTF-8");
    TRY(need(field = into = arena_alloc(arena, (size_t)(close - from) - quotes + 1)));
    for (const char *c = from; c < close; c++) {
        *into++ = *c;
        c += *c == '"'; /* the second of a pair */
    }
    *into = '\0';
    *ret = field;
    return OK;
}

static struct status
read_bare(struct csv *csv, struct arena *arena, size_t column, const char **ret)
{
    const char *from = csv->at;

    while (csv->at < csv->end && *csv->at != csv->separator && *csv->at != '\n' &&
           *csv->at != '\r') {
        if (*csv->at == '"')
            return bad(csv, arena, column, "a quote stands inside a field without quotes");
        csv->at++;
    }
    if (!utf8_text(from, (size_t)(csv->at - from)))
        return bad(csv, arena, column, "the text is not UTF-8");
    return need(*ret = arena_copy_n(arena, from, (size_t)(csv->at - from)));
}

/* Takes the end of a line; false when something else stands there. */
static bool
take_line_end(struct csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at == csv->end)
        return true;
    if (*csv->at != '\n')
        return false;
    csv->at++;
    csv->next_line++;
    return true;
}

static struct status
read_record(struct csv *csv, struct arena *arena, const char **fields, size_t *ret_count)
{
    size_t count = 0;

    for (;;) {
        const char *start = csv->at;
        bool quoted;

        if (count == CSV_COLUMNS)
            return bad(csv, arena, 0, "the record has too many columns");
        quoted = csv->at < csv->end && *csv->at == '"';
        if (quoted) {
            csv->at++;
            TRY(read_quoted(csv, arena, count + 1, &fields[count]));
        } else {
            TRY(read_bare(csv, arena, count + 1, &fields[count]));
        }
        count++;
        if ((size_t)(csv->at - start) > CSV_FIELD_BYTES)
            return bad(csv, arena, count, "the field is too long");
        if (csv->at < csv->end && *csv->at == csv->separator) {
            csv->at++;
            continue;
        }
        if (!take_line_end(csv))
            return bad(csv, arena, count,
                       quoted ? "text stands after a closing quote"
                              : "a carriage return stands alone");
        *ret_count = count;
        return OK;
    }
}

struct status
csv_next(struct csv *csv, struct arena *arena, const char **ret_fields, size_t *ret_count)
{
    while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r'))
        (void)take_line_end(csv); /* an empty line; a lone CR is taken too */
    csv->line = csv->next_line;
    *ret_count = 0;
    if (csv->at >= csv->end)
        return OK;
    TRY(read_record(csv, arena, ret_fields, ret_count));
    if (csv->columns == 0)
        csv->columns = *ret_count;
    if (*ret_count != csv->columns) {
        char *reason = arena_printf(arena, "the record has %zu columns, the first has %zu",
                                    *ret_count, csv->columns);

        TRY(need(reason));
        return bad(csv, arena, 0, reason);
    }
    return OK;
}
