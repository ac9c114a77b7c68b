#pragma once

/* How well what is offered fits what is sought: pure arithmetic on whole numbers.
 *
 * The score belongs to the pair (seeker, offer).  Concepts and words give points by nested
 * increments, so that "the nearest of same, sibling, cousin" is a plain sum over the terms that
 * meet: the index can add it up from its lists, and score_pair from one profile, with the same
 * result.  Points are thousandths; a part's greatest value is its SCORE_x_MAX.
 */

#include "services/matching/profile.h"

#define SCORE_WEIGHTS_VERSION "2026-12.3"

/* The greatest points of each part; together 100,000.  Boosts come on top. */
#define SCORE_CONCEPTS_MAX 60000u
#define SCORE_NAMES_MAX 57000u /* of concepts by the words of their names alone */
#define SCORE_TEXT_MAX 15000u
#define SCORE_REGION_MAX 8000u
#define SCORE_FOCUS_MAX 7000u
#define SCORE_FIELD_MAX 4000u
#define SCORE_LEVEL_MAX 3000u
#define SCORE_FRESHNESS_MAX 3000u
#define SCORE_MAX 100000u

/* The numbers of matching.v1.ScorePart. */
enum part {
    PART_NONE,
    PART_CONCEPTS,
    PART_TEXT,
    PART_FIELD,
    PART_LEVEL,
    PART_REGION,
    PART_FOCUS,
    PART_FRESHNESS,
    PART_BOOST,
    PART_WISHES, /* the one that is taken off: see wishes.h */
    PART_COUNT
};

/* The numbers of matching.v1.Nearness. */
enum nearness {
    NEAR_NONE,
    NEAR_SAME,
    NEAR_SIBLING,
    NEAR_COUSIN,
    NEAR_COUNT,
    NEAR_NAME = NEAR_COUNT, /* only words of the names meet */
};

enum boost_name { BOOST_RURAL, BOOST_SME, BOOST_NAME_COUNT };

#define SCORE_BOOSTS_MAX 8
#define SCORE_BOOST_POINTS_MAX 10000u
#define SCORE_RURAL_MAX 64

/* A named, dated rule. */
struct boost {
    enum boost_name name;
    int32_t first_day, last_day; /* both included */
    uint32_t points;
};

struct score_rules {
    struct boost boosts[SCORE_BOOSTS_MAX];
    size_t boost_count;
    char rural[SCORE_RURAL_MAX][6]; /* NUTS prefixes */
    size_t rural_count;
    uint32_t substance_min; /* least points of concepts and text together */
};

struct score_context {
    const struct score_rules *rules;
    struct wall now;
};

struct score {
    uint32_t parts[PART_COUNT];
    uint32_t total; /* their sum, but less that of PART_WISHES */
};

/* What is known of all live profiles. */
struct score_statistics {
    const struct vocabulary *vocabulary;
    const uint32_t *profiles_with; /* by term: live profiles that have it */
    uint32_t term_count;
    uint32_t live;
};

struct query_term {
    uint32_t term;
    uint32_t points; /* of an offer that has it with full weight */
};

/* A word of a sought concept's name. */
struct query_name {
    uint32_t number; /* of the word in the vocabulary */
    uint32_t points; /* a multiple of 10 */
};

/* A concept sought: what each further nearness adds, and what each word of its name is worth.
 */
struct query_concept {
    const struct profile_concept *sought;
    uint32_t node[NEAR_COUNT];   /* the term that must be met; VOCABULARY_NONE: no such level */
    uint32_t points[NEAR_COUNT]; /* multiples of 10, so that weights in tenths divide them */
    struct query_name names[LABEL_WORDS_MAX];
    uint32_t name_count;
};

/* Concepts are met by what they are, or by the words of their names; texts in one language. */
enum lane { LANE_CONCEPTS, LANE_NAMES, LANE_TEXT, LANE_COUNT = LANE_TEXT + LANG_COUNT };

/* What a profile seeks, with the points that each term is worth now.  Lives in an arena. */
struct query {
    const struct profile *seeker;
    struct score_statistics statistics;
    struct query_concept *concepts;
    size_t concept_count;
    struct query_term *terms[LANE_COUNT]; /* sorted, each term once in a lane */
    size_t term_count[LANE_COUNT];
};

must_use struct status query_make(const struct profile *seeker,
                                  const struct score_statistics *statistics,
                                  struct arena *arena, struct query *ret);

/* Splits the points of a concept over its levels of nearness; they add up to `points`. */
void query_levels(const struct score_statistics *statistics, struct query_concept *concept,
                  uint32_t points);

/* The points of a weighted term that meets a query's. */
static inline uint32_t
query_points(uint32_t points, uint32_t packed)
{
    return points * TERM_WEIGHT(packed) / TERM_WEIGHT_FULL;
}

/* Points by lane of a single offer. */
void query_lanes(const struct query *query, const struct profile *offer,
                 uint32_t ret[LANE_COUNT]);

/* The lane with the best text: languages never add up, a translation is not a second text. */
enum lane score_best_text(const uint32_t lanes[LANE_COUNT]);

/* LANE_CONCEPTS or LANE_NAMES: what says more of the concepts sought.  Names never add to the
 * concepts themselves: with the same concept its name has met as well. */
enum lane score_best_concepts(const uint32_t lanes[LANE_COUNT]);

/* Whether the two may be shown to each other at all: kinds, dates, languages, capacity, owner.
 */
bool score_admits(const struct score_context *context, const struct profile *seeker,
                  const struct profile *offer);

/* Thousandths that are left of the points of concepts: an offer that names much says less with
 * each (length normalisation as in S. E. Robertson and S. Walker, "Some simple effective
 * approximations to the 2-Poisson model", 1994).  1000 for up to SCORE_BREADTH_FREE concepts;
 * each doubling takes SCORE_BREADTH_LOSS.  Never more than 1000, so that what the lanes add up
 * bounds the part from above. */
#define SCORE_BREADTH_FREE 8u
#define SCORE_BREADTH_LOSS 80u
uint32_t score_breadth(const struct profile *offer);

/* All parts, given the points by lane.  false: too little substance. */
bool score_finish(const struct score_context *context, const struct query *query,
                  const struct profile *offer, const uint32_t lanes[LANE_COUNT],
                  struct score *ret);

/* What the score would be if concepts and text had these points together, as well divided as
 * may be: never less than that of an offer that has no more of them.  false: too little
 * substance. */
bool score_most(const struct score_context *context, const struct query *query,
                const struct profile *offer, uint32_t substance, struct score *ret);

/* query_lanes and score_finish in one. */
bool score_pair(const struct score_context *context, const struct query *query,
                const struct profile *offer, struct score *ret);

/* The single parts, for explanations. */
uint32_t score_region_points(size_t level);
uint32_t score_field_points(size_t digits);  /* of ISCED-F in common: 0..4 */
uint32_t score_level_points(unsigned below); /* levels that the offer lacks */
uint32_t score_freshness(int64_t days);      /* since the older side was confirmed */
size_t score_region_level(const struct profile *seeker, const struct profile *offer);
size_t score_field_digits(const struct profile *seeker, const struct profile *offer,
                          const char **ret_code);
uint32_t score_tag_points(const struct profile *seeker);
bool score_has_tag(const struct profile *profile, uint64_t key);
bool score_boost_applies(const struct score_context *context, const struct boost *boost,
                         const struct profile *seeker, const struct profile *offer);

/* log2 of (live + 1) / (with + 1) in 1/256, at least 0; the fraction is linear between powers.
 */
uint32_t score_rarity(uint32_t live, uint32_t with);

/* log2 in 1/256 of a value above 0; linear between powers. */
uint32_t score_log2(uint64_t value);
