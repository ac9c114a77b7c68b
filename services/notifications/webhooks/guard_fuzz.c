/* The guard's promise: whatever the bytes, what it lets through is https (or http to this
 * machine), without a user, at a port that is allowed, to a host that is a public name or
 * address; and what it wrote it reads again as the same. */

#include "services/notifications/webhooks/guard.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_BYTES ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a resolver would take for an address must be one that everybody reads alike, and public.
 */
static void
check_host(const char *host, bool loopback)
{
    struct in_addr loose, strict;

    if (!host)
        return;
    if (!loopback && strcmp(host, "localhost") == 0)
        abort();
    if (inet_aton(host, &loose) == 0)
        return;
    if (inet_pton(AF_INET, host, &strict) != 1 || strict.s_addr != loose.s_addr)
        abort();
    switch (ntohl(strict.s_addr) >> 24) {
    case 127:
        if (loopback)
            return;
        abort();
    case 0:
    case 10:
        abort();
    default:
        if (ntohl(strict.s_addr) >> 16 == 0xc0a8 || ntohl(strict.s_addr) >> 16 == 0xa9fe ||
            ntohl(strict.s_addr) >> 20 == 0xac1 || ntohl(strict.s_addr) >> 29 == 7)
            abort();
    }
}

static void
expect_good(const char *url, bool loopback, struct arena *arena)
{
    const char *host = strstr(url, "://"), *again;

    if (!host || (strncmp(url, "https://", 8) != 0 && !loopback))
        abort();
    host += 3;
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '\\' || *c == '#')
            abort();
    if (memchr(host, '@', strcspn(host, "/?")) || !strcspn(host, "/?:"))
        abort();
    check_host(arena_copy_n(arena, host, strcspn(host, ":/?")), loopback);
    if (failed(guard_url(url, loopback, arena, &again)) || strcmp(url, again) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    const char *url, *text;

    arena_init(&arena, MEMORY_BYTES);
    text = arena_copy_n(&arena, data, size);
    for (int loopback = 0; text && loopback < 2; loopback++)
        if (!failed(guard_url(text, loopback, &arena, &url)))
            expect_good(url, loopback, &arena);
    arena_fini(&arena);
    return 0;
}
