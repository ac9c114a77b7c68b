#pragma once

/* The inner loops of a query, once for each instruction set; all give the same numbers.
 *
 * A kernel bounds the points of each block of an area, and evaluates those blocks whose bound
 * reaches the least points of interest, in two passes, the promising ones first: the least
 * points rise while they are evaluated.  (Block-Max Pruning, arXiv 2405.01117, with the exact
 * maxima of the sparse terms.)
 */

#include "services/matching/engine/base.h"

#define KERNEL_LANES 4u
#define KERNEL_BATCH 8u /* blocks fetched ahead */

/* A dense term in a group of blocks. */
struct dense_at {
    uint64_t present;
    const uint64_t *words; /* of the blocks where it is present */
};

/* An area while it is searched.  Arrays by block are padded to whole groups, those by place to
 * whole blocks; all are aligned to 64 bytes. */
struct area_job {
    uint32_t block_count, group_count;
    uint32_t lane_count;          /* at least 1 */
    uint16_t *sums[KERNEL_LANES]; /* by place: what the sparse terms have given */
    uint16_t *tops[KERNEL_LANES]; /* by block: the greatest of those */
    uint16_t *bounds;             /* by block; the kernel's */
    const uint8_t *grades;        /* by place */
    const struct dense_at *dense; /* [group][dense_count], by lane */
    const uint16_t *points;       /* by dense term */
    uint32_t dense_count, lane_ends[KERNEL_LANES];
    const uint64_t **fetched; /* [KERNEL_BATCH][dense_count]; the kernel's */
    const uint64_t *keep;     /* by group: blocks that count */
    uint16_t region_points, grade_most;
    const uint16_t *grade_points; /* DOCUMENT_GRADES of them */
    const uint64_t *planes;       /* to be prefetched; NULL: none */
    uint32_t class_count;
    uint32_t wanted; /* documents, for the first guess */
    bool full;       /* so many are found */
    uint16_t least;  /* points of interest; kernel_take raises it */
    void *scan;
};

struct kernel {
    const char *name;
    bool (*usable)(void); /* on this machine */
    void (*area)(struct area_job *job);
};

extern const struct kernel kernel_scalar, kernel_avx2, kernel_avx512;

/* The fastest that is usable here. */
const struct kernel *kernel_best(void);
/* By name; NULL: there is none, or it is not usable here. */
const struct kernel *kernel_find(const char *name);

/* What a kernel calls back: who of a block passes the filters by bits, and documents that
 * reach `least` (a bit each) with the points of the whole block. */
uint64_t kernel_filter(const struct area_job *job, uint32_t block);
void kernel_take(struct area_job *job, uint32_t block, uint64_t who, const uint16_t points[64]);
