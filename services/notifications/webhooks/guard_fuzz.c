/* The guard's promise: whatever the bytes, what it lets through is https (or http to this
 * machine), without a user, at a port that is allowed, to a host that is a public name or
 * address; and what it wrote it reads again as the same. */

#include "services/notifications/webhooks/guard.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_BYTES ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    if (!loopback && (strncmp(host, "localhost", 9) == 0 || strncmp(host, "127.", 4) == 0))
        abort();
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
