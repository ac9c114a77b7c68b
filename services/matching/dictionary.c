#include "services/matching/dictionary.h"

#include <stdbool.h>

#define FIRST_SLOTS ((size_t)1024)

void
dictionary_fini(struct dictionary *dictionary)
{
    free(dictionary->keys);
    free(dictionary->numbers);
    *dictionary = (struct dictionary){0};
}

/* The slot that holds the key, or the empty one where it belongs. */
static size_t
slot_of(const uint64_t *keys, size_t slots, uint64_t key)
{
    size_t slot = (size_t)key & (slots - 1);

    while (keys[slot] && keys[slot] != key)
        slot = (slot + 1) & (slots - 1);
    return slot;
}

uint32_t
dictionary_find(const struct dictionary *dictionary, uint64_t key)
{
    size_t slot;

    if (!dictionary->slots)
        return DICTIONARY_NONE;
    slot = slot_of(dictionary->keys, dictionary->slots, key);
    return dictionary->keys[slot] ? dictionary->numbers[slot] : DICTIONARY_NONE;
}

static bool
grow(struct dictionary *dictionary)
{
    const size_t slots = dictionary->slots ? dictionary->slots * 2 : FIRST_SLOTS;
    uint64_t *keys = calloc(slots, sizeof *keys);
    uint32_t *numbers = calloc(slots, sizeof *numbers);

    if (!keys || !numbers) {
        free(keys);
        free(numbers);
        return false;
    }
    for (size_t i = 0; i < dictionary->slots; i++) {
        if (dictionary->keys[i]) {
            const size_t slot = slot_of(keys, slots, dictionary->keys[i]);

            keys[slot] = dictionary->keys[i];
            numbers[slot] = dictionary->numbers[i];
        }
    }
    free(dictionary->keys);
    free(dictionary->numbers);
    dictionary->keys = keys;
    dictionary->numbers = numbers;
    dictionary->slots = slots;
    return true;
}

struct status
dictionary_put(struct dictionary *dictionary, uint64_t key, uint32_t *ret)
{
    size_t slot;

    if (dictionary->count * (size_t)3 >= dictionary->slots * 2 && !grow(dictionary))
        return need(NULL);
    slot = slot_of(dictionary->keys, dictionary->slots, key);
    if (!dictionary->keys[slot]) {
        if (dictionary->count == DICTIONARY_MAX)
            return FAIL(NULL, RESOURCE_EXHAUSTED, "the dictionary is full");
        dictionary->keys[slot] = key;
        dictionary->numbers[slot] = dictionary->count++;
    }
    *ret = dictionary->numbers[slot];
    return OK;
}
