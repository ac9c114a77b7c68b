#pragma once

/* Numbers for 64-bit keys: each key gets the next number at its first use and keeps it.
 *
 * Heap; one owner, one thread.  With `read_beside`, set before the first key, other threads may
 * look keys up while the owner adds some: tables that were outgrown then stay until the end
 * (together less memory than the last one).  What is added meanwhile they may see or not.
 */

#include "common/base/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DICTIONARY_MAX ((uint32_t)1 << 22) /* keys */
#define DICTIONARY_NONE UINT32_MAX

struct dictionary_table {
    struct dictionary_table *outgrown; /* the one before, where it stays */
    _Atomic(uint64_t) *keys;           /* 0: an empty slot */
    uint32_t *numbers;                 /* of the key in the same slot; written before it */
    size_t slots;                      /* a power of two */
};

struct dictionary {
    uint32_t count; /* for the owner */
    bool read_beside;
    _Atomic(struct dictionary_table *) table; /* NULL: no key yet */
};

void dictionary_fini(struct dictionary *dictionary);

/* DICTIONARY_NONE: unknown. */
uint32_t dictionary_find(const struct dictionary *dictionary, uint64_t key);

/* Gives the key's number, a new one if need be.
 * RESOURCE_EXHAUSTED: DICTIONARY_MAX keys are known, or there is no memory. */
must_use struct status dictionary_put(struct dictionary *dictionary, uint64_t key,
                                      uint32_t *ret);

/* The next key at or behind the slot *at, which begins at 0; false: there are no more.  `table`
 * is the dictionary's when the walk began. */
bool dictionary_next(const struct dictionary_table *table, size_t *at, uint64_t *ret_key,
                     uint32_t *ret_number);
