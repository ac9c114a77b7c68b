#include "services/events/recent.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS ((size_t)1 << 18) /* at most 38 in a hundred are used */

/* Open addressing with linear probing; a slot with key 0 is free. */
struct slot {
    uint64_t key, content;
};

struct recent {
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    struct slot slots[SLOTS];
    uint64_t order[RECENT_EVENTS]; /* keys by age, a ring */
    size_t first, count;
};

struct status
recent_create(struct recent **ret)
{
    struct recent *recent = calloc(1, sizeof *recent);

    TRY(need(recent));
    crypto_shorthash_keygen(recent->hash_key);
    *ret = recent;
    return OK;
}

void
recent_destroy(struct recent **recent)
{
    free(take(recent));
}

void
recent_clear(struct recent *recent)
{
    memset(recent->slots, 0, sizeof recent->slots);
    recent->first = recent->count = 0;
}

static uint64_t
hash(const struct recent *recent, struct bytes bytes)
{
    uint8_t out[crypto_shorthash_BYTES];
    uint64_t value;

    (void)crypto_shorthash(out, bytes.data, bytes.size, recent->hash_key);
    memcpy(&value, out, sizeof value);
    return value;
}

/* Of source and id together; the sizes keep "a" + "bc" and "ab" + "c" apart. */
static uint64_t
key_of(const struct recent *recent, const struct packed_event *parts)
{
    uint64_t pair[4] = {hash(recent, parts->source), parts->source.size,
                        hash(recent, parts->id), parts->id.size};
    const uint64_t key = hash(recent, (struct bytes){(const uint8_t *)pair, sizeof pair});

    return key ? key : 1;
}

static size_t
find(const struct recent *recent, uint64_t key)
{
    size_t at = key % SLOTS;

    while (recent->slots[at].key && recent->slots[at].key != key)
        at = (at + 1) % SLOTS;
    return at;
}

/* Frees a slot and moves up what was pushed behind it (Knuth, volume 3, 6.4, algorithm R). */
static void
drop(struct recent *recent, uint64_t key)
{
    size_t hole = find(recent, key);

    recent->slots[hole].key = 0;
    for (size_t at = (hole + 1) % SLOTS; recent->slots[at].key; at = (at + 1) % SLOTS) {
        const size_t home = recent->slots[at].key % SLOTS;

        if ((at - home) % SLOTS < (at - hole) % SLOTS)
            continue; /* it stands between its home and the hole: behind it is right */
        recent->slots[hole] = recent->slots[at];
        recent->slots[at].key = 0;
        hole = at;
    }
}

enum recent_outcome
recent_look(const struct recent *recent, const struct packed_event *parts, struct bytes packed)
{
    const uint64_t key = key_of(recent, parts);
    const struct slot *slot = &recent->slots[find(recent, key)];

    if (!slot->key)
        return RECENT_NEW;
    return slot->content == hash(recent, packed) ? RECENT_SAME : RECENT_OTHER;
}

bool
recent_add(struct recent *recent, const struct packed_event *parts, struct bytes packed)
{
    const uint64_t key = key_of(recent, parts);
    struct slot *slot = &recent->slots[find(recent, key)];

    if (slot->key)
        return false; /* it keeps its age */
    if (recent->count == RECENT_EVENTS) {
        drop(recent, recent->order[recent->first]);
        recent->first = (recent->first + 1) % RECENT_EVENTS;
        recent->count--;
        slot = &recent->slots[find(recent, key)]; /* things may have moved */
    }
    *slot = (struct slot){key, hash(recent, packed)};
    recent->order[(recent->first + recent->count++) % RECENT_EVENTS] = key;
    return true;
}

void
recent_undo(struct recent *recent, size_t count)
{
    while (count-- > 0 && recent->count > 0)
        drop(recent, recent->order[(recent->first + --recent->count) % RECENT_EVENTS]);
}
