#pragma once

/* What the person behind an offer would like to work with, and how well a seeker meets that.
 *
 * A match needs two yeses: the score of a pair is what the seeker gets out of it (the fit F)
 * and, where the offer has wishes, what the person gets out of it (the wish W), both of
 * 100,000.  It is F where W is not below it, and otherwise their harmonic mean 2FW / (F + W),
 * rounded down: the lesser of the two weighs most.  In this mean W counts as WISHES_LEAST at
 * least: whoever can do what is sought but wants something else comes last, not never, and the
 * better fit first.  The mean never exceeds F, so what bounds F from above bounds it, too; it
 * never falls when F or W rises.
 *
 * W is a mean over the lists that the person filled: concepts, kinds of work, regions.  Within
 * a list any one will do, the best met counts: to name more never makes anything fit less.
 *
 * Wishes are personal data.  The other side learns W, rounded up to a percent, and the wishes
 * that are met; never those that are not.  (Whoever may make up needs can ask for one wish
 * after another, as for any other fact that a score depends on.)
 */

#include "services/matching/score.h"

#define WISHES_CONCEPTS_MAX 20
#define WISHES_TAGS_MAX 20 /* focus and themes together */
#define WISHES_REGIONS_MAX 8

/* What each list weighs against the others, where there are several. */
#define WISHES_CONCEPTS_WEIGHT 6u
#define WISHES_TAGS_WEIGHT 2u
#define WISHES_REGIONS_WEIGHT 2u

#define WISHES_MET SCORE_MAX /* W of one who gets everything */
#define WISHES_LEAST 10000u

/* Of one block, without pointers: it lies within its profile's. */
struct wishes {
    uint64_t tags[WISHES_TAGS_MAX];         /* keys as of profile_tag */
    uint32_t concepts[WISHES_CONCEPTS_MAX]; /* packed with how much each is wanted */
    char regions[WISHES_REGIONS_MAX][6];    /* NUTS prefixes */
    uint8_t tag_count, concept_count, region_count;
};

/* Lists that are longer are cut; a concept outside the vocabulary is left out.
 * *ret NULL: nothing is wanted; otherwise it lives in `arena`. */
must_use struct status wishes_read(const struct vocabulary *vocabulary,
                                   const struct profile_row *row, struct arena *arena,
                                   struct wishes **ret);

/* W: how well the seeker meets them, 0..WISHES_MET. */
uint32_t wishes_fit(const struct score_statistics *statistics, const struct wishes *wishes,
                    const struct profile *seeker);

/* What is taken off a fit. */
uint32_t wishes_deduction(uint32_t fit, uint32_t wish);

/* How well a seeker meets one wished concept (packed), 0..WISHES_MET: nested as the points of a
 * concept sought.  *ret_near and *ret_node: how near, and the term in which they meet. */
uint32_t wishes_concept(const struct score_statistics *statistics, uint32_t wished,
                        const struct profile *seeker, enum nearness *ret_near,
                        uint32_t *ret_node);
bool wishes_has_tag(const struct wishes *wishes, uint64_t key);
/* The first of the regions that the seeker is in; NULL: none. */
const char *wishes_region(const struct wishes *wishes, const struct profile *seeker);
