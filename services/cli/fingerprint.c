#include "services/cli/fingerprint.h"

#include <sodium.h>

#define HASH_BYTES 32

struct status
fingerprint_of(struct arena *arena, const struct source *sources, size_t count,
               const char **ret)
{
    crypto_generichash_state state;
    unsigned char hash[HASH_BYTES];
    char *text = arena_alloc(arena, 2 * HASH_BYTES + 1);

    TRY(need(text));
    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash); /* these cannot fail */
    for (size_t i = 0; i < count; i++)
        (void)crypto_generichash_update(&state, (const unsigned char *)sources[i].text,
                                        sources[i].size);
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(text, 2 * HASH_BYTES + 1, hash, sizeof hash);
    *ret = text;
    return OK;
}
