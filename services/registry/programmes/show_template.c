#include "services/registry/programmes/show.h"

#include <string.h>

#include "services/registry/programmes/template.h"

/* "found" of check 0, "found#1" of check 1.  NULL: the check gave no such value. */
static const struct rule_value *
find_value(const struct rule_value *values, size_t count, size_t check, const char *name,
           size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const char *mark = strchr(values[i].name, '#');
        const size_t length = mark ? (size_t)(mark - values[i].name) : strlen(values[i].name);
        const size_t index = mark ? (size_t)strtoul(mark + 1, NULL, 10) : 0;
        if (index == check && length == size && !memcmp(values[i].name, name, size))
            return &values[i];
    }
    return NULL;
}

static const char *
shown_piece(const struct show *show, const struct template_piece *piece,
            const struct rule_value *value)
{
    const bool one = !strcmp(value->text, "1");

    if (piece->one)
        return arena_copy_n(show->arena, one ? piece->one : piece->other,
                            one ? piece->one_size : piece->other_size);
    return show_value(show, value->kind, value->text, piece->joined_by_or);
}

const char *
show_template(const struct show *show, const char *pattern, const struct rule_value *values,
              size_t count, size_t check, bool *ret_complete)
{
    struct template_piece piece;
    const char *text = "";
    bool complete = true;

    while (text && template_next(&pattern, &piece) == TEMPLATE_PIECE) {
        const struct rule_value *value;
        const char *shown;
        if (!piece.placeholder) {
            text = arena_printf(show->arena, "%s%.*s", text, (int)piece.size, piece.text);
            continue;
        }
        value = find_value(values, count, check, piece.text, piece.size);
        complete &= value != NULL;
        shown = value ? shown_piece(show, &piece, value) : "–";
        text = shown ? arena_printf(show->arena, "%s%s", text, shown) : NULL;
    }
    *ret_complete = complete;
    return text;
}
