#include "common/base/utf8.h"

#include <string.h>

#define REPLACEMENT 0xFFFDu

size_t
utf8_decode(const void *bytes, size_t size, uint32_t *ret)
{
    const uint8_t *at = bytes;
    uint32_t point, least;
    size_t length;

    if (!size)
        return 0;
    if (at[0] < 0x80) {
        *ret = at[0];
        return 1;
    }
    if (at[0] >= 0xC2 && at[0] <= 0xDF) {
        length = 2, least = 0x80, point = at[0] & 0x1Fu;
    } else if (at[0] >= 0xE0 && at[0] <= 0xEF) {
        length = 3, least = 0x800, point = at[0] & 0x0Fu;
    } else if (at[0] >= 0xF0 && at[0] <= 0xF4) {
        length = 4, least = 0x10000, point = at[0] & 0x07u;
    } else {
        return 0;
    }
    if (size < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (at[i] & 0x3Fu);
    }
    if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    *ret = point;
    return length;
}

/* Eight bytes at a time while all are ASCII; `nul` refuses zero bytes as well. */
static size_t
ascii_run(const uint8_t *at, size_t size, bool nul)
{
    size_t i = 0;

    for (; size - i >= 8; i += 8) {
        uint64_t word;

        memcpy(&word, at + i, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
        if (nul && ((word - UINT64_C(0x0101010101010101)) & UINT64_C(0x8080808080808080)))
            break;
    }
    return i;
}

static bool
valid(const uint8_t *at, size_t size, bool refuse_nul)
{
    size_t i = 0;

    while (i < size) {
        uint32_t point;
        size_t length;

        i += ascii_run(at + i, size - i, refuse_nul);
        if (i == size)
            break;
        length = utf8_decode(at + i, size - i, &point);
        if (!length || (refuse_nul && !point))
            return false;
        i += length;
    }
    return true;
}

bool
utf8_valid(const void *bytes, size_t size)
{
    return valid(bytes, size, false);
}

bool
utf8_text(const void *bytes, size_t size)
{
    return valid(bytes, size, true);
}

size_t
utf8_length(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((uint8_t)*text & 0xC0) != 0x80;
    return count;
}

size_t
utf8_cut(const char *text, size_t limit_bytes)
{
    size_t size = strnlen(text, limit_bytes + 1);

    if (size <= limit_bytes)
        return size;
    size = limit_bytes;
    while (size && ((uint8_t)text[size] & 0xC0) == 0x80)
        size--;
    return size;
}

uint32_t
utf8_next(const char **cursor)
{
    uint32_t point;
    size_t length;

    if (!**cursor)
        return 0;
    length = utf8_decode(*cursor, strnlen(*cursor, 4), &point);
    if (!length) {
        *cursor += 1;
        return REPLACEMENT;
    }
    *cursor += length;
    return point;
}

size_t
utf8_put(uint32_t point, char into[4])
{
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        point = REPLACEMENT;
    if (point < 0x80) {
        into[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        into[0] = (char)(0xC0 | point >> 6);
        into[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        into[0] = (char)(0xE0 | point >> 12);
        into[1] = (char)(0x80 | (point >> 6 & 0x3F));
        into[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    into[0] = (char)(0xF0 | point >> 18);
    into[1] = (char)(0x80 | (point >> 12 & 0x3F));
    into[2] = (char)(0x80 | (point >> 6 & 0x3F));
    into[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

/* Bytes of the white space at the front of `size` bytes, or 0. */
static size_t
space_at(const char *at, size_t size)
{
    if (size && (*at == ' ' || (*at >= '\t' && *at <= '\r')))
        return 1;
    return size >= 2 && !memcmp(at, "\xC2\xA0", 2) ? 2 : 0;
}

char *
utf8_trim(struct arena *arena, const char *text)
{
    size_t size = strlen(text);
    size_t space;

    while ((space = space_at(text, size))) {
        text += space;
        size -= space;
    }
    for (;;) {
        if (size && space_at(text + size - 1, 1) == 1)
            size--;
        else if (size >= 2 && space_at(text + size - 2, 2) == 2)
            size -= 2;
        else
            break;
    }
    return arena_copy_n(arena, text, size);
}

static uint32_t
lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7))
        return c + 32;
    if (c < 0x100 || c > 0x17F)
        return c;
    if (c == 0x130) /* I with a dot above: the Turkish i */
        return 'i';
    if (c == 0x178)
        return 0xFF;
    if (c == 0x17F) /* long s */
        return 's';
    if ((c >= 0x139 && c <= 0x148) || c >= 0x179)
        return c & 1 ? c + 1 : c; /* here the capitals are odd */
    if (c == 0x138 || c == 0x149)
        return c;
    return c & 1 ? c : c + 1;
}

char *
utf8_fold(struct arena *arena, const char *text)
{
    const char *cursor = text;
    size_t size = 0;
    char scratch[4];
    char *folded, *at;
    uint32_t point;

    while ((point = utf8_next(&cursor)))
        size += utf8_put(lower(point), scratch);
    folded = arena_alloc(arena, size + 1);
    if (!folded)
        return NULL;
    at = folded;
    cursor = text;
    while ((point = utf8_next(&cursor))) {
        const size_t length = utf8_put(lower(point), scratch);

        memcpy(at, scratch, length);
        at += length;
    }
    *at = '\0';
    return folded;
}
