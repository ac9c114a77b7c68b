#include "services/matching/counts.h"

#include <endian.h>
#include <string.h>

#include "services/matching/index.h"

#define FORMAT 1u
/* Offsets in the head. */
#define LIVE_AT 4
#define CONCEPTS_AT 8
#define WORDS_AT 12
#define KEYS_AT 16
#define HEAD_BYTES 20u
#define CONCEPT_BYTES 20u
#define KEY_BYTES 12u

static uint32_t
read_u32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t
read_u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

static uint8_t *
write_u32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static uint8_t *
write_u64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static uint32_t
used(const uint32_t *with, uint32_t from, uint32_t to)
{
    uint32_t count = 0;

    for (uint32_t term = from; term < to; term++)
        count += with[term] > 0;
    return count;
}

static uint8_t *
write_concepts(const struct snapshot *snapshot, uint8_t *at)
{
    const uint32_t concepts = vocabulary_count(snapshot->vocabulary);

    for (uint32_t term = 0; term < concepts; term++) {
        if (snapshot->own_with[term] == 0)
            continue;
        memcpy(at, vocabulary_id(snapshot->vocabulary, term), sizeof(struct uid));
        at = write_u32(at + sizeof(struct uid), snapshot->own_with[term]);
    }
    return at;
}

/* Of the terms from `first` to `end`, which the dictionary numbers from 0. */
static uint8_t *
write_keys(const struct snapshot *snapshot, const struct dictionary *dictionary, uint32_t first,
           uint32_t end, uint8_t *at)
{
    const struct dictionary_table *table = atomic_load(&dictionary->table);
    size_t slot = 0;
    uint64_t key;
    uint32_t number;

    while (dictionary_next(table, &slot, &key, &number)) {
        /* The dictionary may have grown since the snapshot. */
        if (number >= end - first || snapshot->own_with[first + number] == 0)
            continue;
        at = write_u32(write_u64(at, key), snapshot->own_with[first + number]);
    }
    return at;
}

struct status
counts_pack(const struct snapshot *snapshot, struct arena *arena, struct bytes *ret)
{
    const uint32_t first_word = vocabulary_count(snapshot->vocabulary);
    const uint32_t first_key = vocabulary_terms(snapshot->vocabulary);
    const uint32_t concepts = used(snapshot->own_with, 0, first_word);
    const uint32_t words = used(snapshot->own_with, first_word, first_key);
    const uint32_t keys = used(snapshot->own_with, first_key, snapshot->term_count);
    const size_t size =
        HEAD_BYTES + (size_t)concepts * CONCEPT_BYTES + ((size_t)words + keys) * KEY_BYTES;
    uint8_t *bytes, *at;

    if (size > COUNTS_BYTES_MAX)
        return FAIL(arena, RESOURCE_EXHAUSTED, "the counts of a shard have %zu bytes", size);
    TRY(need(bytes = arena_alloc(arena, size)));
    at = write_u32(write_u32(bytes, FORMAT), snapshot->own_live);
    at = write_u32(write_u32(write_u32(at, concepts), words), keys);
    at = write_concepts(snapshot, at);
    at = write_keys(snapshot, vocabulary_word_numbers(snapshot->vocabulary), first_word,
                    first_key, at);
    (void)write_keys(snapshot, index_dictionary(snapshot->index), first_key,
                     snapshot->term_count, at);
    *ret = (struct bytes){bytes, size};
    return OK;
}

struct status
counts_check(struct bytes packed, uint32_t *ret_live)
{
    if (packed.size < HEAD_BYTES || read_u32(packed.data) != FORMAT ||
        packed.size !=
            HEAD_BYTES + (uint64_t)read_u32(packed.data + CONCEPTS_AT) * CONCEPT_BYTES +
                ((uint64_t)read_u32(packed.data + WORDS_AT) + read_u32(packed.data + KEYS_AT)) *
                    KEY_BYTES)
        return FAIL(NULL, INTERNAL, "the counts of a shard cannot be read");
    *ret_live = read_u32(packed.data + LIVE_AT);
    return OK;
}

struct status
counts_each(struct bytes packed, const struct count_visit *visit)
{
    const uint32_t concepts = read_u32(packed.data + CONCEPTS_AT);
    const uint32_t words = read_u32(packed.data + WORDS_AT);
    const uint32_t keys = read_u32(packed.data + KEYS_AT);
    const uint8_t *at = packed.data + HEAD_BYTES;

    for (uint32_t i = 0; i < concepts; i++, at += CONCEPT_BYTES) {
        struct uid id;

        memcpy(&id, at, sizeof id);
        TRY(visit->concept(visit->context, &id, read_u32(at + sizeof id)));
    }
    for (uint32_t i = 0; i < words; i++, at += KEY_BYTES)
        TRY(visit->word(visit->context, read_u64(at), read_u32(at + 8)));
    for (uint32_t i = 0; i < keys; i++, at += KEY_BYTES)
        TRY(visit->key(visit->context, read_u64(at), read_u32(at + 8)));
    return OK;
}
