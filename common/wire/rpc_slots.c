#include "common/wire/rpc_slots.h"

#include <stdlib.h>
#include <string.h>

/* The last digits of a UUID are random in every version we make. */
static size_t
place_of(const struct rpc_slots *slots, const char *id)
{
    uint64_t tail, middle;

    memcpy(&tail, id + UUID_SIZE - 1 - sizeof tail, sizeof tail);
    memcpy(&middle, id + 15, sizeof middle);
    return (size_t)(((tail ^ middle * 31) * UINT64_C(0x9E3779B97F4A7C15)) >> 40) & slots->mask;
}

struct status
rpc_slots_init(struct rpc_slots *slots, uint32_t limit)
{
    size_t places = 64;

    while (places < (size_t)limit * 2)
        places *= 2;
    *slots = (struct rpc_slots){.limit = limit, .mask = places - 1};
    slots->chunk_room = (limit + RPC_SLOTS_CHUNK - 1) / RPC_SLOTS_CHUNK;
    slots->chunks = calloc(slots->chunk_room, sizeof(struct rpc_slot *));
    slots->heads = calloc(places, sizeof(struct rpc_slot *));
    if (!slots->chunks || !slots->heads) {
        rpc_slots_fini(slots);
        return need(NULL);
    }
    return OK;
}

void
rpc_slots_fini(struct rpc_slots *slots)
{
    for (size_t i = 0; i < slots->chunk_count; i++) {
        for (size_t j = 0; j < RPC_SLOTS_CHUNK; j++)
            free(slots->chunks[i][j].body);
        free(slots->chunks[i]);
    }
    free(slots->chunks);
    free(slots->heads);
    *slots = (struct rpc_slots){0};
}

static struct status
grow(struct rpc_slots *slots)
{
    struct rpc_slot *chunk = calloc(RPC_SLOTS_CHUNK, sizeof *chunk);

    TRY(need(chunk));
    slots->chunks[slots->chunk_count++] = chunk;
    for (size_t i = RPC_SLOTS_CHUNK; i > 0; i--) {
        chunk[i - 1].next_same = slots->empty;
        slots->empty = &chunk[i - 1];
    }
    return OK;
}

struct status
rpc_slots_take(struct rpc_slots *slots, const char *id, struct arena *arena,
               struct rpc_slot **ret)
{
    struct rpc_slot *slot, **place;

    if (slots->count >= slots->limit)
        return FAIL(arena, RESOURCE_EXHAUSTED, "%u calls are under way", slots->limit);
    if (!slots->empty)
        TRY(grow(slots));
    slot = slots->empty;
    slots->empty = slot->next_same;
    place = &slots->heads[place_of(slots, id)];
    slot->next_same = *place;
    *place = slot;
    slot->used = true;
    memcpy(slot->id, id, UUID_SIZE);
    slot->attempts = slot->pause_ms = slot->peer_count = slot->retry_after_ms = 0;
    slot->refusal[0] = '\0';
    slots->count++;
    *ret = slot;
    return OK;
}

struct status
rpc_slot_set_body(struct rpc_slot *slot, const void *data, size_t size)
{
    if (size > slot->body_room) {
        uint8_t *larger = malloc(size);

        if (!larger)
            return need(NULL);
        free(slot->body);
        slot->body = larger;
        slot->body_room = size;
    }
    if (size > 0)
        memcpy(slot->body, data, size);
    slot->body_size = size;
    return OK;
}

struct rpc_slot *
rpc_slots_find(const struct rpc_slots *slots, const char *id)
{
    struct rpc_slot *slot = slots->heads[place_of(slots, id)];

    while (slot && memcmp(slot->id, id, UUID_SIZE) != 0)
        slot = slot->next_same;
    return slot;
}

void
rpc_slots_give(struct rpc_slots *slots, struct rpc_slot *slot)
{
    struct rpc_slot **place = &slots->heads[place_of(slots, slot->id)];

    while (*place != slot)
        place = &(*place)->next_same;
    *place = slot->next_same;
    slot->used = false;
    if (slot->body_room > RPC_SLOT_KEEP_BYTES) {
        free(slot->body);
        slot->body = NULL;
        slot->body_room = 0;
    }
    slot->next_same = slots->empty;
    slots->empty = slot;
    slots->count--;
}

struct rpc_slot *
rpc_slots_next(const struct rpc_slots *slots, size_t *cursor)
{
    for (; *cursor < slots->chunk_count * RPC_SLOTS_CHUNK; ++*cursor) {
        struct rpc_slot *slot =
            &slots->chunks[*cursor / RPC_SLOTS_CHUNK][*cursor % RPC_SLOTS_CHUNK];

        if (slot->used) {
            ++*cursor;
            return slot;
        }
    }
    return NULL;
}
