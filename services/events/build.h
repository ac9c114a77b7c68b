#pragma once

/* From accepted events to numbered blocks: gives positions and tenants' numbers, extends the
 * hash chains, packs.  Pure: it knows no table.  All but the blocks lives in the arena. */

#include "services/events/store.h"

#define BUILD_BLOCKS_MAX 1024
/* What an event takes beside its producer's bytes, at most. */
#define BUILD_EVENT_BYTES                                                                      \
    (PACKED_FRAME_BYTES + PACKED_SEQUENCE_BYTES + PACKED_TENANT_SEQUENCE_BYTES +               \
     PACKED_TENANT_BYTES)

struct build_event {
    struct bytes packed;
    const char *tenant_id;
    struct packed_event parts;
    bool internal;    /* has no number of its tenant's */
    bool give_tenant; /* the attribute tenantid is to be appended */
};

struct build {
    struct arena *arena;
    uint64_t position; /* of the next event */
    struct store_stream *streams;
    size_t stream_count, stream_room;
    size_t stream_last; /* found last: events of a tenant stand together */
    struct store_block *blocks;
    size_t block_count;
    size_t events_left, bytes_left; /* that will come, at most */
    /* the open block */
    uint8_t *data;
    size_t size;
    const char **tenant_ids, **types;
    size_t tenant_count, type_count;
};

/* `streams` are those that exist; further ones begin here.  So many events will come, and so
 * many bytes as their producers made them. */
must_use struct status build_begin(struct build *build, struct arena *arena, uint64_t head,
                                   const struct store_stream *streams, size_t stream_count,
                                   size_t events, size_t bytes);
must_use struct status build_add(struct build *build, const struct build_event *event);
/* Closes the last block.  build->blocks and build->streams are the result; whoever wants the
 * blocks' memory takes it. */
void build_end(struct build *build);
void build_fini(struct build *build); /* also of one that was not ended */
