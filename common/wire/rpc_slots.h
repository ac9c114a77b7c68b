#pragma once

/* The calls a client has under way: a bounded pool, found again by id. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

#define RPC_SLOT_HEAD_BYTES 768 /* of a packed request head without attempt and time */
#define RPC_SLOT_PEERS 8        /* attempts of one call that are under way at once */
#define RPC_SLOT_DETAIL_BYTES 160
#define RPC_SLOT_KEEP_BYTES 4096 /* of body memory that a slot keeps between calls */

struct rpc_answer;
struct rpc_peer;
struct rpc_service;

struct rpc_slot {
    struct rpc_slot *next_same;  /* in the hash; or next empty one */
    struct rpc_slot *next_begun; /* waits to be sent with others */
    bool used;
    char id[UUID_SIZE];
    struct rpc_service *service;
    struct mono deadline;
    struct mono due;                        /* when something must be done without an answer */
    uint32_t attempts;                      /* begun */
    uint32_t attempt_ms;                    /* limit of the next one */
    uint32_t pause_ms;                      /* after a refusal by everybody */
    struct rpc_peer *peers[RPC_SLOT_PEERS]; /* asked and silent so far, oldest first */
    uint32_t peer_count;
    char refusal[RPC_SLOT_DETAIL_BYTES]; /* the last UNAVAILABLE's detail */
    uint32_t retry_after_ms;             /* and its advice */
    void (*done)(void *context, const struct rpc_answer *answer);
    void *context;
    uint8_t *body; /* packed; the memory stays with the slot unless it is large */
    size_t body_size, body_room;
    size_t head_size;
    uint8_t head[RPC_SLOT_HEAD_BYTES];
};

struct rpc_slots {
    struct rpc_slot **chunks; /* of RPC_SLOTS_CHUNK slots, made when needed */
    size_t chunk_count, chunk_room;
    struct rpc_slot *empty;
    struct rpc_slot **heads; /* the hash */
    size_t mask;
    uint32_t count, limit;
};

#define RPC_SLOTS_CHUNK 32

must_use struct status rpc_slots_init(struct rpc_slots *slots, uint32_t limit);
void rpc_slots_fini(struct rpc_slots *slots); /* all given back before */

/* An empty slot under this id, which no other slot has.  RESOURCE_EXHAUSTED: the limit. */
must_use struct status rpc_slots_take(struct rpc_slots *slots, const char *id,
                                      struct arena *arena, struct rpc_slot **ret);
/* Copies the request into the slot. */
must_use struct status rpc_slot_set_body(struct rpc_slot *slot, const void *data, size_t size);
struct rpc_slot *rpc_slots_find(const struct rpc_slots *slots, const char *id);
void rpc_slots_give(struct rpc_slots *slots, struct rpc_slot *slot);

/* The used slot with the least index >= *cursor, or NULL; moves the cursor past it. */
struct rpc_slot *rpc_slots_next(const struct rpc_slots *slots, size_t *cursor);
