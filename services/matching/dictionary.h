#pragma once

/* Numbers for 64-bit keys: each key gets the next number at its first use and keeps it.
 *
 * Heap; one owner, one thread.
 */

#include "common/base/status.h"

#include <stddef.h>
#include <stdint.h>

#define DICTIONARY_MAX ((uint32_t)1 << 22) /* keys */
#define DICTIONARY_NONE UINT32_MAX

struct dictionary {
    uint64_t *keys;    /* 0: an empty slot */
    uint32_t *numbers; /* of the key in the same slot */
    size_t slots;      /* a power of two, or 0 */
    uint32_t count;
};

void dictionary_fini(struct dictionary *dictionary);

/* DICTIONARY_NONE: unknown. */
uint32_t dictionary_find(const struct dictionary *dictionary, uint64_t key);

/* Gives the key's number, a new one if need be.
 * RESOURCE_EXHAUSTED: DICTIONARY_MAX keys are known, or there is no memory. */
must_use struct status dictionary_put(struct dictionary *dictionary, uint64_t key,
                                      uint32_t *ret);
