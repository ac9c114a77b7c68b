#pragma once

/* What the files of a scan share. */

#include "services/matching/engine/scan.h"

/* A sparse term of the query, and where its list of the area at hand lies. */
struct sparse {
    const uint16_t *near;
    const uint16_t *offsets; /* near lists: by area */
    const uint32_t *far;
    const _Atomic(uint16_t) *late; /* in a tail */
    uint32_t count;                /* of a far list */
    uint32_t first, end;           /* in the area */
    uint16_t points;
    uint8_t lane;
};

/* A required term. */
struct needed {
    struct sparse sparse;
    const struct base_group *groups; /* NULL: sparse */
    const uint64_t *words;
    uint64_t *blocks; /* sparse: who has it, by block of the area */
};

struct scan_scratch {
    struct bulk bulk;
    uint16_t *sums[KERNEL_LANES], *tops[KERNEL_LANES], *bounds, *picked, *points, *late;
    uint64_t *present;
    const uint64_t **words;
    const struct base_group **groups; /* by dense term */
    uint64_t *fetched;
    struct sparse *sparse;
    struct needed needed[SCAN_REQUIRED_MAX];
    uint64_t *needed_blocks, *allowed;
    uint64_t *order; /* of areas */
    uint64_t keep[AREA_GROUPS];
    struct scan_counts counts;
    /* of the run at hand */
    const struct scan_query *query;
    struct scan_sink *sink;
    const struct unit *unit;
    uint32_t first_block; /* of the area */
    uint32_t sparse_count, needed_count;
    bool strict;
    struct area_job job;
};

void scan_base(struct scan_scratch *scratch);
void scan_tail(struct scan_scratch *scratch);

/* All blocks of an area count. */
void scan_keep_blocks(struct scan_scratch *scratch, uint32_t block_count);

static inline void
scan_add(uint16_t *sums, uint16_t *tops, uint32_t place, uint32_t points)
{
    const uint32_t sum = sums[place] + points;
    const uint16_t kept = (uint16_t)(sum < SCAN_POINTS_MAX ? sum : SCAN_POINTS_MAX);

    sums[place] = kept;
    if (kept > tops[place / 64])
        tops[place / 64] = kept;
}
