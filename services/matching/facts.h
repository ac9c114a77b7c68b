#pragma once

/* A profile as a document of the engine, and a search as filters and bounds over documents.
 *
 * The filters let everybody through whom the exact rules may let through, and some more; the
 * bounds are never below the exact points.  What passes is scored exactly by score_finish.
 */

#include "services/matching/dictionary.h"
#include "services/matching/engine/scan.h"
#include "services/matching/search.h"

#define FACTS_CLASSES 56u
#define FACTS_REGION_SIZE 5 /* NUTS 2: four letters, and a NUL */

/* The regions that profiles are in.  Their names only grow, so that readers may read those
 * below the count they know.  Region 0 is of all for which there was no number left. */
struct facts_regions {
    struct dictionary numbers;
    uint32_t count;
    char names[DOCUMENT_REGIONS_MAX][FACTS_REGION_SIZE];
};

/* RESOURCE_EXHAUSTED: no memory. */
must_use struct status facts_region(struct facts_regions *regions,
                                    const struct profile *profile, uint16_t *ret);

uint64_t facts_id(enum kind kind, const struct uid *id);

/* Kinds as classes of documents; bit n of `kinds`: enum kind n; 0: all. */
uint64_t facts_kind_classes(unsigned kinds);

/* The number of what the profile is most about: profiles of like numbers have like terms. */
uint16_t facts_order(const struct vocabulary *vocabulary, const struct profile *profile);

/* Terms of documents: traits (traits.h), and behind them the terms of profiles. */
uint32_t facts_term_limit(uint32_t profile_terms);

/* With its region and order; the document's terms go into `terms` (DOCUMENT_TERMS_MAX). */
void facts_document(const struct profile *profile, uint16_t region, uint16_t order,
                    uint32_t *terms, struct document *ret);

/* What a scan for the offers of a search needs. */
struct facts_scan {
    struct scan_query query;
    struct scan_term terms[SCAN_TERMS_MAX];
    uint64_t any_of[SCAN_ANY_MAX];
    uint16_t region_points[DOCUMENT_REGIONS_MAX];
    uint32_t unit;   /* thousandths of a point that a point of the scan stands for */
    uint32_t boosts; /* thousandths that all boosts can add */
};

void facts_scan(const struct search *search, const struct query *query,
                const struct facts_regions *regions, uint32_t region_count,
                struct facts_scan *ret);

/* The least points of a scan that can still become this score. */
uint16_t facts_least(const struct facts_scan *scan, uint32_t total);

/* The most that concepts and text can have, before breadth, with these points of terms. */
uint32_t facts_substance(const struct facts_scan *scan, uint16_t terms);
