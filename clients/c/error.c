#include "clients/c/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
samverka_code_name(enum samverka_code code)
{
    static const char *const names[] = {
        [SAMVERKA_OK] = "OK",
        [SAMVERKA_TIMEOUT] = "TIMEOUT",
        [SAMVERKA_UNREACHABLE] = "UNREACHABLE",
        [SAMVERKA_INVALID] = "INVALID",
        [SAMVERKA_DENIED] = "DENIED",
        [SAMVERKA_GONE] = "GONE",
        [SAMVERKA_CONFLICT] = "CONFLICT",
        [SAMVERKA_FULL] = "FULL",
        [SAMVERKA_TAKEN] = "TAKEN",
        [SAMVERKA_UNPROVEN] = "UNPROVEN",
        [SAMVERKA_SYSTEM] = "SYSTEM",
    };
    const size_t number = (size_t)code;

    return number < sizeof names / sizeof *names ? names[number] : "UNKNOWN";
}

enum samverka_code
smv_fail(struct samverka_error *error, enum samverka_code code, const char *format, ...)
{
    va_list values;

    *error = (struct samverka_error){.code = code};
    va_start(values, format);
    (void)vsnprintf(error->text, sizeof error->text, format, values);
    va_end(values);
    return code;
}

enum samverka_code
smv_no_memory(struct samverka_error *error)
{
    return smv_fail(error, SAMVERKA_SYSTEM, "no memory is left");
}

/* Bytes that follow a first byte, and the smallest character so long; -1: no first byte. */
static int
followers(unsigned char first, uint32_t *ret_least)
{
    if (first < 0x80)
        return *ret_least = 0, 0;
    if (first >= 0xc2 && first <= 0xdf)
        return *ret_least = 0x80, 1;
    if (first >= 0xe0 && first <= 0xef)
        return *ret_least = 0x800, 2;
    if (first >= 0xf0 && first <= 0xf4)
        return *ret_least = 0x10000, 3;
    return -1;
}

bool
smv_utf8(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        uint32_t least = 0;
        const int count = followers(*at, &least);
        uint32_t character = count > 0 ? *at & (0x3fu >> count) : *at;

        if (count < 0)
            return false;
        at++;
        for (int i = 0; i < count; i++, at++) {
            if ((*at & 0xc0) != 0x80)
                return false;
            character = character << 6 | (*at & 0x3fu);
        }
        if (character < least || character > 0x10ffff ||
            (character >= 0xd800 && character <= 0xdfff))
            return false;
    }
    return true;
}

bool
smv_uuid(const char *text)
{
    if (!text || strnlen(text, SMV_UUID_CHARS + 1) != SMV_UUID_CHARS)
        return false;
    for (size_t i = 0; i < SMV_UUID_CHARS; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
                                                    : !strchr("0123456789abcdef", text[i]))
            return false;
    return true;
}
