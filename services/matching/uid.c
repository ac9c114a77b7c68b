#include "services/matching/uid.h"

static int
digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return -1;
}

bool
uid_parse(const char *text, struct uid *ret)
{
    struct uid uid;
    size_t at = 0;

    if (!uuid_valid(text))
        return false;
    for (size_t i = 0; i < sizeof uid.bytes; i++) {
        if (text[at] == '-')
            at++;
        uid.bytes[i] = (uint8_t)(digit(text[at]) << 4 | digit(text[at + 1]));
        at += 2;
    }
    *ret = uid;
    return true;
}

void
uid_format(const struct uid *uid, char ret[UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < sizeof uid->bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[at++] = '-';
        ret[at++] = digits[uid->bytes[i] >> 4];
        ret[at++] = digits[uid->bytes[i] & 15];
    }
    ret[at] = '\0';
}

bool
uid_is_zero(const struct uid *uid)
{
    static const struct uid zero;

    return uid_equal(uid, &zero);
}
