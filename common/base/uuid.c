#include "common/base/uuid.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

static void
random_bytes(uint8_t *into, size_t size)
{
    while (size) {
        const ssize_t got = getrandom(into, size, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort(); /* a kernel without randomness: nothing safe can be done */
        into += got;
        size -= (size_t)got;
    }
}

static void
format(const uint8_t bytes[16], char ret[UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *at = ret;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
}

void
uuid_v7(const struct clock *clock, char ret[UUID_SIZE])
{
    const uint64_t ms = (uint64_t)clock_wall(clock).unix_ms;
    uint8_t bytes[16];

    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    random_bytes(bytes + 6, sizeof bytes - 6);
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0f)); /* version 7 */
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f)); /* variant of RFC 9562 */
    format(bytes, ret);
}

bool
uuid_valid(const char *text)
{
    for (int i = 0; i < UUID_SIZE - 1; i++) {
        const char c = text[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-')
                return false;
        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false; /* also at an early NUL */
        }
    }
    return text[UUID_SIZE - 1] == '\0';
}
