#pragma once

/* The newest part of the log in memory, for followers near the head.  One thread. */

#include "services/events/block.h"

struct tail {
    struct block **ring;
    size_t room, first, count; /* blocks, oldest at ring[first] */
    size_t limit_bytes, bytes;
    uint64_t last; /* position of the newest event; 0: the log is empty */
    bool known;    /* `last` is known */
};

must_use struct status tail_init(struct tail *tail, size_t limit_bytes);
void tail_fini(struct tail *tail);

/* Forgets all blocks: the log ends at `head` and what comes next follows it. */
void tail_start(struct tail *tail, uint64_t head);

/* Takes the block.  One that does not join starts the tail anew; old ones make room. */
void tail_push(struct tail *tail, struct block *block);

/* The smallest `after` that the tail can serve. */
uint64_t tail_after(const struct tail *tail);

/* The block that holds the position; NULL: not here. */
struct block *tail_find(const struct tail *tail, uint64_t position);
