#pragma once

/* Documents at rest: an index of many, made at once and never changed.
 *
 * They lie in the order (region, order), each region from a block of 64 places of its own, cut
 * into areas of at most AREA_BLOCKS blocks.  A term that many have is *dense*: for each block
 * where anybody has it, a word of 64 bits; which blocks those are says a bit for each block of
 * a group.  A term that few have is a list of places: *near* lists hold places within an area,
 * with an offset for each area; *far* lists, of the rarest terms, hold places in the whole.
 *
 * Made by any thread, read by any; held by count, on the writer's thread alone.
 */

#include "common/base/status.h"
#include "services/matching/engine/bulk.h"
#include "services/matching/engine/document.h"

#define BASE_PLACES_MAX ((uint32_t)1 << 28)
#define AREA_BLOCKS 512u
#define AREA_PLACES (AREA_BLOCKS * 64u)
#define AREA_GROUPS (AREA_BLOCKS / 64u)
#define BASE_NONE UINT32_MAX

/* A term is dense when more than one document in DENSE_DIVISOR has it. */
#define DENSE_DIVISOR 512u
/* The shortest near list. */
#define NEAR_LEAST 64u

struct area {
    uint32_t first_block, block_count;
    uint32_t first_group; /* of 64 blocks, counted over all areas */
    uint16_t region;
};

enum form { FORM_FAR, FORM_NEAR, FORM_DENSE };

struct base_term {
    uint32_t term, count; /* documents that have it */
    uint32_t at;          /* into places_far or places_near; dense: unused */
    uint32_t directory;   /* near: into `offsets`, one more than areas; dense: into `groups` */
    uint8_t form;
};

struct base_group {
    uint64_t present; /* blocks of the group where anybody has it */
    uint64_t first;   /* into `words`: of the first such block */
};

struct base {
    uint32_t references;
    uint32_t document_count;
    uint32_t place_count; /* a multiple of 64; some are empty */
    uint32_t area_count, group_count, term_count;
    uint32_t class_count; /* planes of each block */
    struct area *areas;   /* by region, then by place */
    struct base_term *terms;
    uint32_t *term_slots; /* a hash table of numbers in `terms` */
    uint32_t term_slot_count;
    uint32_t *id_slots; /* a hash table of places */
    uint32_t id_slot_count;
    uint64_t *empty; /* by block: places without a document */
    /* by place */
    uint64_t *ids;
    void **items; /* NULL: there are none */
    uint16_t *from, *until, *order;
    uint8_t *grades;
    uint32_t *forward_at; /* into `forward`, from where that of the block begins */
    uint64_t *planes;     /* [block][class]: who is of the class */
    /* pools */
    uint64_t *forward_block; /* by block: into `forward` */
    uint8_t *forward;
    struct base_group *groups;
    uint64_t *words;
    uint16_t *offsets, *near_places;
    uint32_t *far_places;
    struct bulk *bulks; /* what all of these lie in */
    size_t bulk_count, bytes;
};

void base_drop(struct base *base);

/* The number of a term in `terms`; BASE_NONE: nobody has it. */
uint32_t base_find_term(const struct base *base, uint32_t term);
/* Wants what base_find_term will read into the cache. */
void base_prefetch_term(const struct base *base, uint32_t term);

/* Calls for each place with this id until it returns true; that place, or BASE_NONE. */
uint32_t base_find(const struct base *base, uint64_t id,
                   bool (*is)(void *context, uint32_t place), void *context);

/* The document at a place; its terms go into `terms` (DOCUMENT_TERMS_MAX). */
void base_read(const struct base *base, uint32_t place, uint32_t *terms, struct document *ret);
const struct area *base_area_of(const struct base *base, uint32_t place);

static inline const uint8_t *
base_forward(const struct base *base, uint32_t place)
{
    return base->forward + base->forward_block[place / 64] + base->forward_at[place];
}

static inline uint64_t
base_hash(uint64_t key)
{
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return key ^ key >> 32;
}

/* Where in a hash table of so many slots a key is looked for first. */
static inline uint32_t
base_slot(uint64_t key, uint32_t slot_count)
{
    return (uint32_t)((base_hash(key) & UINT32_MAX) * slot_count >> 32);
}
