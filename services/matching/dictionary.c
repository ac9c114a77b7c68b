#include "services/matching/dictionary.h"

#include <stdlib.h>

#define FIRST_SLOTS ((size_t)1024)

static void
free_table(struct dictionary_table *table)
{
    if (!table)
        return;
    free(table->keys);
    free(table->numbers);
    free(table);
}

void
dictionary_fini(struct dictionary *dictionary)
{
    struct dictionary_table *table = atomic_load(&dictionary->table);

    while (table) {
        struct dictionary_table *outgrown = table->outgrown;

        free_table(table);
        table = outgrown;
    }
    *dictionary = (struct dictionary){.read_beside = dictionary->read_beside};
}

static uint64_t
key_at(const struct dictionary_table *table, size_t slot)
{
    return atomic_load_explicit(&table->keys[slot], memory_order_acquire);
}

/* The slot that holds the key, or the empty one where it belongs. */
static size_t
slot_of(const struct dictionary_table *table, uint64_t key, bool *ret_known)
{
    size_t slot = (size_t)key & (table->slots - 1);
    uint64_t there;

    while ((there = key_at(table, slot)) && there != key)
        slot = (slot + 1) & (table->slots - 1);
    *ret_known = there != 0;
    return slot;
}

uint32_t
dictionary_find(const struct dictionary *dictionary, uint64_t key)
{
    const struct dictionary_table *table =
        atomic_load_explicit(&dictionary->table, memory_order_acquire);
    bool known;
    size_t slot;

    if (!table)
        return DICTIONARY_NONE;
    slot = slot_of(table, key, &known);
    return known ? table->numbers[slot] : DICTIONARY_NONE;
}

/* The number first: who sees the key sees its number. */
static void
put(struct dictionary_table *table, size_t slot, uint64_t key, uint32_t number)
{
    table->numbers[slot] = number;
    atomic_store_explicit(&table->keys[slot], key, memory_order_release);
}

static bool
grow(struct dictionary *dictionary)
{
    struct dictionary_table *old = atomic_load(&dictionary->table);
    struct dictionary_table *table = calloc(1, sizeof *table);

    if (!table)
        return false;
    table->slots = old ? old->slots * 2 : FIRST_SLOTS;
    table->keys = calloc(table->slots, sizeof *table->keys);
    table->numbers = calloc(table->slots, sizeof *table->numbers);
    if (!table->keys || !table->numbers) {
        free_table(table);
        return false;
    }
    for (size_t i = 0; old && i < old->slots; i++) {
        const uint64_t key = key_at(old, i);
        bool known;

        if (key)
            put(table, slot_of(table, key, &known), key, old->numbers[i]);
    }
    table->outgrown = dictionary->read_beside ? old : NULL;
    atomic_store_explicit(&dictionary->table, table, memory_order_release);
    if (!dictionary->read_beside)
        free_table(old);
    return true;
}

struct status
dictionary_put(struct dictionary *dictionary, uint64_t key, uint32_t *ret)
{
    struct dictionary_table *table = atomic_load(&dictionary->table);
    bool known;
    size_t slot;

    if ((!table || dictionary->count * (size_t)3 >= table->slots * 2) && !grow(dictionary))
        return need(NULL);
    table = atomic_load(&dictionary->table);
    slot = slot_of(table, key, &known);
    if (!known) {
        if (dictionary->count == DICTIONARY_MAX)
            return FAIL(NULL, RESOURCE_EXHAUSTED, "the dictionary is full");
        put(table, slot, key, dictionary->count++);
    }
    *ret = table->numbers[slot];
    return OK;
}

bool
dictionary_next(const struct dictionary_table *table, size_t *at, uint64_t *ret_key,
                uint32_t *ret_number)
{
    for (; table && *at < table->slots; (*at)++)
        if ((*ret_key = key_at(table, *at))) {
            *ret_number = table->numbers[(*at)++];
            return true;
        }
    return false;
}
