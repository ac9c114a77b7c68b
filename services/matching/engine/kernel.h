#pragma once

/* The inner loops of a query, once for each instruction set; all give the same numbers.
 *
 * A kernel bounds the points of each block of an area, and evaluates those blocks whose bound
 * reaches the least points of interest, in two passes, the promising ones first: the least
 * points rise while they are evaluated.  (Block-Max Pruning, arXiv 2405.01117, with the exact
 * maxima of the sparse terms.)
 */

#include "services/matching/engine/base.h"

/* Lanes are alternatives, of which the best counts: the first among themselves, and those that
 * follow.  The last lane is added, and is no part of the least points of terms. */
#define KERNEL_LANES 6u
#define KERNEL_FIRST_LANES 2u
#define KERNEL_ADDED_LANE (KERNEL_LANES - 1)
#define KERNEL_AHEAD 8u /* blocks whose words are on their way */

/* An area while it is searched.  Arrays by block are padded to whole groups, those by place to
 * whole blocks; all are aligned to 64 bytes. */
struct area_job {
    uint32_t block_count, group_count;
    uint32_t lane_count;          /* at least 1 */
    uint16_t *sums[KERNEL_LANES]; /* by place: what the sparse terms have given */
    uint16_t *tops[KERNEL_LANES]; /* by block: the greatest of those */
    uint16_t *bounds;             /* by block; the kernel's */
    const uint8_t *grades;        /* by place */
    /* The dense terms, by lane, `stride` of them in each group; what is beyond `dense_count` is
     * present nowhere. */
    const uint64_t *present;      /* [group][stride]: blocks where anybody has it */
    const uint64_t *const *words; /* [group][stride]: of those blocks */
    const uint16_t *points;       /* by dense term */
    uint32_t dense_count, stride, lane_ends[KERNEL_LANES];
    uint64_t *fetched; /* [stride]; the kernel's, as are those picked */
    uint16_t *picked;  /* room for AREA_BLOCKS */
    uint64_t *keep;    /* by group: blocks that count */
    uint16_t region_points, grade_most;
    const uint16_t *place_points; /* by place; NULL: none; never above place_most */
    uint16_t place_most;
    uint16_t least_terms;         /* the points of the terms alone, at least */
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
 * reach `least` (a bit each) with the points of the whole block, and those of the terms alone.
 */
uint64_t kernel_filter(const struct area_job *job, uint32_t block);
void kernel_take(struct area_job *job, uint32_t block, uint64_t who, const uint16_t points[64],
                 const uint16_t terms[64]);
