#pragma once

/* Inverted lists over a set of profiles: for each term, who has it and with what weight.
 *
 * Immutable once made, and read by any thread; held by count, on the index's thread alone.
 * Holds its profiles.
 */

#include "services/matching/profile.h"

#define SEGMENT_PROFILES_MAX ((uint32_t)1 << 28)

struct segment {
    uint32_t references;
    uint32_t count;
    struct profile **profiles; /* sorted by id */
    uint32_t *seekers;         /* places in `profiles` of those that seek, rising */
    uint32_t seeker_count;
    uint32_t term_count;
    uint32_t *terms;    /* rising */
    uint32_t *offsets;  /* term_count + 1, into postings */
    uint32_t *postings; /* TERM_PACK(place in `profiles`, weight), rising for each term */
};

/* Sorts `profiles` and holds each of them.  `term_limit` is above every term. */
must_use struct status segment_create(struct profile **profiles, uint32_t count,
                                      uint32_t term_limit, struct segment **ret);
void segment_hold(struct segment *segment);
void segment_drop(struct segment *segment);

/* The place of a profile; SEGMENT_NONE: it is not here. */
#define SEGMENT_NONE UINT32_MAX
uint32_t segment_find(const struct segment *segment, enum kind kind, const struct uid *id);

/* A term's list; NULL and 0 when it has none. */
const uint32_t *segment_list(const struct segment *segment, uint32_t term, uint32_t *ret_count);
