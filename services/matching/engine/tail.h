#pragma once

/* Documents that have just come: a small index that grows at its end while it is read.
 *
 * The writer appends; a reader knows how many documents its version has, and looks at no other.
 * Everything that is replaced while the tail grows stays until the tail goes.  Held by count,
 * on the writer's thread alone.
 */

#include "common/base/status.h"
#include "services/matching/engine/document.h"

#include <stdatomic.h>

#define TAIL_DOCUMENTS_MAX 32768u
#define TAIL_NONE UINT16_MAX

struct tail_list {
    _Atomic(_Atomic(uint16_t) *) places; /* rising, then TAIL_NONE; NULL: nobody */
    uint32_t count, room;                /* writer only */
};

struct tail_page; /* lists of neighbouring terms */
struct tail_chunk;

struct tail {
    uint32_t references;
    uint32_t count, room; /* writer only */
    uint32_t class_count;
    size_t bytes; /* of memory, about */
    /* by place */
    uint64_t *ids;
    void **items;
    uint16_t *from, *until, *order, *regions;
    uint8_t *grades;
    const uint32_t **terms;
    uint32_t *term_counts;
    _Atomic(uint64_t) *planes;   /* [block][class] */
    _Atomic(uint16_t) *id_slots; /* a hash table of places */
    uint32_t id_slot_count;
    _Atomic(struct tail_page *) *pages; /* of lists, by term */
    struct tail_chunk *chunks;
};

/* `room`: documents, a multiple of 64 up to TAIL_DOCUMENTS_MAX. */
must_use struct status tail_create(uint32_t room, uint32_t class_count, struct tail **ret);
void tail_drop(struct tail *tail);

/* Appends a document; there must be room.  On failure it is not there. */
must_use struct status tail_put(struct tail *tail, const struct document *document);

/* A term's list for readers: rising places; those not below the reader's count end it. */
const _Atomic(uint16_t) *tail_list(const struct tail *tail, uint32_t term);

/* Calls for each of the first `count` places with this id until it returns true; that place, or
 * UINT32_MAX. */
uint32_t tail_find(const struct tail *tail, uint32_t count, uint64_t id,
                   bool (*is)(void *context, uint32_t place), void *context);

void tail_read(const struct tail *tail, uint32_t place, struct document *ret);
