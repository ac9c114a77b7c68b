#pragma once

/* Some standing searches at rest: made at once, never changed; held by count on the writer's
 * thread. Any thread may read it.
 *
 * A record is what is looked at of a search: half a cache line. The rest of it lies in `pool`,
 * its *entry*, and is looked at only when the record lets a document pass that needs it.
 */

#include "services/matching/standing/standing.h"

/* Terms are stored one greater; 0 is "no term", which every document has. */
#define TERM_ALWAYS 0u

/* Bits of regions and languages: the commonest of a layer have their own, the others share one
 * and are checked in the entry. */
#define REGION_BITS 62u
#define REGION_OTHERS 62u
#define REGION_ANY 63u
#define LANGUAGE_BITS 14u
#define LANGUAGE_OTHERS 14u
#define LANGUAGE_ANY 15u

#define LATEST_ANY UINT16_MAX

struct record {
    uint64_t regions;
    uint32_t required[STANDING_REQUIRED_MAX - 2]; /* beyond the anchor and the group's term */
    uint32_t entry;                               /* into `pool` */
    uint16_t tenant;                              /* into `tenants` */
    uint16_t languages;
    uint16_t latest;
    uint8_t kinds;
    uint8_t check; /* RECORD_CHECK, and above it how many optional terms must be missing */
};
_Static_assert(sizeof(struct record) == 32, "half a cache line");

#define RECORD_CHECK 1u
#define RECORD_MISSING_SHIFT 1

/* Records of one anchor with the same second term; ends where the next begins. */
struct group {
    uint32_t second, first;
};

struct anchor {
    uint32_t term;         /* TERM_ALWAYS: the slot is free */
    uint32_t first, count; /* groups */
};

/* The head of an entry. After it, a word each: required terms, optional terms (rarest first),
 * regions, languages, places of its records. */
struct entry {
    struct uid id;
    uint32_t tenant;
    int32_t latest;
    uint8_t required_count, optional_count, least, region_count;
    uint8_t language_count, place_count, kinds, unused;
};
#define ENTRY_WORDS (sizeof(struct entry) / sizeof(uint32_t))

/* A region or a language and its bit. */
struct bit_code {
    uint32_t code;
    uint32_t bit;
};

struct layer {
    uint32_t references;
    uint32_t search_count, record_count, group_count, anchor_mask;
    struct record *records; /* by anchor, then by group */
    struct group *groups;   /* one more than group_count */
    struct anchor *anchors; /* a hash table, at most half full */
    uint32_t *pool;
    uint32_t *by_id;                      /* entries, by id */
    struct bit_code *regions, *languages; /* by code */
    uint32_t region_count, language_count, tenant_count;
    struct uid *tenants; /* sorted */
    size_t bytes;
};

/* Where a search is taken from: the caller's, or an entry of another layer. */
struct layer_source {
    const struct standing_search *search; /* NULL: the entry */
    const struct layer *layer;
    uint32_t entry;
};

/* INVALID_ARGUMENT: an id comes twice. RESOURCE_EXHAUSTED. */
must_use struct status layer_create(const struct layer_source *sources, size_t count,
                                    const uint32_t *frequency, size_t frequency_count,
                                    struct layer **ret);
void layer_drop(struct layer *layer);

static inline const struct entry *
layer_entry(const struct layer *layer, uint32_t at)
{
    return (const struct entry *)(const void *)&layer->pool[at];
}

/* The words after the head of an entry. */
static inline const uint32_t *
layer_words(const struct layer *layer, uint32_t at)
{
    return &layer->pool[at + ENTRY_WORDS];
}

/* The places of an entry's records. */
static inline const uint32_t *
layer_places(const struct layer *layer, uint32_t at)
{
    const struct entry *entry = layer_entry(layer, at);

    return layer_words(layer, at) + entry->required_count + entry->optional_count +
           entry->region_count + entry->language_count;
}

#define LAYER_NONE UINT32_MAX
/* The entry of an id, or LAYER_NONE. */
uint32_t layer_find(const struct layer *layer, const struct uid *id);
/* The search of an entry. */
void layer_read(const struct layer *layer, uint32_t at, struct standing_search *ret);

/* The bit of a code, or `others` when it has none of its own; -1: nobody asks for it. */
int layer_bit(const struct bit_code *codes, uint32_t count, uint32_t code);
/* LAYER_NONE: no search of this tenant. */
uint32_t layer_tenant(const struct layer *layer, const struct uid *tenant);

static inline uint32_t
layer_slot(uint32_t term, uint32_t mask)
{
    const uint64_t mixed = term * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t)(mixed >> 32) & mask;
}

/* A NUTS code as a number, six bits a letter from the top of 30: what begins with a code of n
 * letters is equal to it in its first 6n bits. "" is 0. */
uint32_t layer_nuts(const char *nuts);
uint32_t layer_nuts_mask(uint32_t code);
