#pragma once

/* A million people who never were, and what is sought of them: the same for every system that
 * is measured.
 *
 * Skills stand in a tree of 13,900 leaves, 640 groups and 80 fields; a person has 8 to 40
 * leaves, most of two home fields, with all that is above them, and words of a text.  Terms
 * are numbers: leaves, then groups, then fields, then words.  A query wants five skills of
 * different groups and ten others, and four words; per skill the leaf counts in full, its group
 * 0.40 and its field 0.15 of that, as nested increments.  Everything is made by seed; files are
 * read back in the byte order of the machine.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAVES 13900u
#define GROUPS 640u
#define FIELDS 80u
#define WORDS 50000u
#define FIRST_GROUP LEAVES
#define FIRST_FIELD (LEAVES + GROUPS)
#define FIRST_WORD (LEAVES + GROUPS + FIELDS)
#define TERMS (FIRST_WORD + WORDS)
#define REGIONS 40u
#define LANGUAGES 8u
#define YEARS 32u
#define QUERIES 1000u
#define QUERY_TERMS 64u
#define QUERY_REQUIRED 5u
#define PERSON_TERMS_MAX 256u

/* As it lies in the file of queries. */
struct sought {
    uint64_t regions; /* bit n: region n is allowed */
    uint16_t region_points[REGIONS];
    uint16_t year_points[YEARS];
    uint16_t languages; /* bits, one of which a person must have */
    uint16_t latest;    /* day from which the person must be there */
    uint16_t term_count;
    uint16_t terms[QUERY_TERMS], points[QUERY_TERMS];
    uint16_t required[QUERY_REQUIRED]; /* groups */
};

/* As they lie in the file of people: 64 bytes of header, then each array, padded to eight
 * bytes, in this order. */
struct population {
    uint64_t count, posting_count;
    const uint64_t *first;   /* count + 1, into `terms` */
    const uint16_t *day;     /* from when */
    const uint16_t *cluster; /* home field * FIELDS + second one */
    const uint8_t *region, *languages, *year;
    const uint16_t *terms; /* of a person: rising */
    const struct sought *queries;
    size_t query_count;
};

static inline uint32_t
group_of(uint32_t leaf)
{
    return leaf * GROUPS / LEAVES;
}

static inline uint32_t
field_of(uint32_t leaf)
{
    return group_of(leaf) / (GROUPS / FIELDS);
}

/* Maps FOLDER/people.bin and FOLDER/queries.bin; ends the program when they are not there. */
void population_open(const char *folder, struct population *ret);

/* What a system found, one file for a mode: "NUMBER ID:POINTS ID:POINTS ...", a line a query.
 */
