#include "services/registry/programmes/template.h"

#include <string.h>

static bool
is_name(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyz_", text[i]))
            return false;
    }
    return size > 0;
}

static enum template_step
take_modifier(const char *modifier, size_t size, struct template_piece *ret)
{
    const char *bar = memchr(modifier, '|', size);

    if (!bar) {
        ret->joined_by_or = size == 2 && !memcmp(modifier, "or", 2);
        return ret->joined_by_or ? TEMPLATE_PIECE : TEMPLATE_BROKEN;
    }
    ret->one = modifier;
    ret->one_size = (size_t)(bar - modifier);
    ret->other = bar + 1;
    ret->other_size = size - ret->one_size - 1;
    if (!ret->one_size || !ret->other_size || memchr(ret->other, '|', ret->other_size))
        return TEMPLATE_BROKEN;
    return TEMPLATE_PIECE;
}

static enum template_step
take_placeholder(const char **cursor, struct template_piece *ret)
{
    const char *start = *cursor + 1;
    const size_t size = strcspn(start, "{}");
    const char *colon = memchr(start, ':', size);
    const size_t name = colon ? (size_t)(colon - start) : size;

    if (start[size] != '}' || !is_name(start, name))
        return TEMPLATE_BROKEN;
    *ret = (struct template_piece){.placeholder = true, .text = start, .size = name};
    *cursor = start + size + 1;
    return colon ? take_modifier(colon + 1, size - name - 1, ret) : TEMPLATE_PIECE;
}

enum template_step
template_next(const char **cursor, struct template_piece *ret)
{
    const size_t size = strcspn(*cursor, "{}");

    if (size) {
        *ret = (struct template_piece){.text = *cursor, .size = size};
        *cursor += size;
        return TEMPLATE_PIECE;
    }
    if (!**cursor)
        return TEMPLATE_END;
    return **cursor == '{' ? take_placeholder(cursor, ret) : TEMPLATE_BROKEN;
}
