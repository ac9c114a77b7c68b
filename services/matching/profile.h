#pragma once

/* What the index knows of a published profile.  It holds no name, no gender, no date of birth
 * and no contact: registry does not publish them to matching.
 *
 * Immutable, one block of heap memory; held by count, on the index's thread alone.
 */

#include "services/matching/day.h"
#include "services/matching/dictionary.h"
#include "services/matching/vocabulary.h"

#define PROFILE_CONCEPTS_MAX 140 /* named and linked together */
#define PROFILE_LANGUAGES_MAX 8
#define PROFILE_TAGS_MAX 16 /* focus and themes together */
#define PROFILE_SHARED_MAX 256
#define PROFILE_FIELDS_MAX 4  /* of education */
#define PROFILE_GRAMS_MAX 256 /* for each language */
#define PROFILE_STEMS_MAX 256 /* for each language */

/* The numbers of matching.v1.ProfileKind. */
enum kind {
    KIND_NONE,
    KIND_PERSON,
    KIND_NEED,
    KIND_CAPABILITY,
    KIND_INFRASTRUCTURE,
    KIND_PLACEMENT,
    KIND_COUNT
};

enum visibility { VISIBLE_PRIVATE, VISIBLE_SHARED, VISIBLE_PUBLIC };

/* A row of registry.published_profiles. */
struct profile_row {
    const char *kind, *id, *tenant_id, *person_kind, *owner_organisation_id, *organisation_type;
    const char *visibility;
    const char **shared_with;
    size_t shared_count;
    const char **concept_ids;
    size_t concept_count;
    int64_t *concept_weights; /* thousandths */
    size_t weight_count;
    const char *text[LANG_COUNT]; /* "": none */
    const char *nuts;
    const char **languages;
    size_t language_count;
    const char **isced_f;
    size_t isced_f_count;
    int64_t eqf; /* 0: none */
    const char **focus, **themes;
    size_t focus_count, theme_count;
    const char *available_from, *valid_until; /* "": none */
    int64_t capacity;                         /* -1: unlimited */
    bool sme;
    uint64_t version;
    int64_t updated_unix_ms;
    /* What the person would like to work with. */
    const char **wished_ids, **wished_nuts, **wished_tags;
    int64_t *wished_weights; /* thousandths */
    size_t wished_count, wished_weight_count, wished_nuts_count, wished_tag_count;
};

/* A word of the index with a weight in tenths, in one number, so that lists of them are short.
 * Terms below the count of concepts stand for concepts and all that is beneath them; those
 * above are stems and grams. */
#define TERM_WEIGHT_BITS 4
#define TERM_WEIGHT_FULL 10u
#define TERM_OF(packed) ((packed) >> TERM_WEIGHT_BITS)
#define TERM_WEIGHT(packed) ((packed) & ((1u << TERM_WEIGHT_BITS) - 1))
#define TERM_PACK(term, weight) ((uint32_t)(term) << TERM_WEIGHT_BITS | (uint32_t)(weight))

/* A weight in thousandths as one of a term, 1..TERM_WEIGHT_FULL. */
static inline uint8_t
profile_tenths(int64_t thousandths)
{
    const int64_t tenths = (thousandths + 50) / 100;

    if (tenths < 1)
        return 1;
    return tenths > (int64_t)TERM_WEIGHT_FULL ? (uint8_t)TERM_WEIGHT_FULL : (uint8_t)tenths;
}

struct profile_concept {
    uint32_t concept;
    uint8_t weight;   /* tenths, 1..10 */
    bool linked;      /* found in a text, not named */
    uint8_t lang;     /* of the text */
    const char *span; /* the words that name it; NULL when named */
};

/* A stem and the first word that had it. */
struct profile_stem {
    uint32_t term;
    const char *word;
};

/* The words of a side that seeks, for its query: sorted by term. */
struct profile_text {
    const struct profile_stem *stems;
    const uint32_t *grams;
    uint16_t stem_count, gram_count;
};

struct profile_tag {
    uint64_t key;
    const char *name;
};

struct profile {
    struct uid id, tenant, owner; /* owner zero: none */
    int64_t updated_unix_ms;
    uint64_t version;
    int32_t available_from, valid_until; /* days, DAY_NONE */
    int32_t capacity;                    /* -1: unlimited */
    uint32_t references;
    uint8_t kind, visibility, eqf;
    bool sme;
    char nuts[6], isced_f[PROFILE_FIELDS_MAX][5];
    uint8_t field_count, language_count, tag_count;
    uint16_t concept_count, shared_count;
    uint16_t languages[PROFILE_LANGUAGES_MAX]; /* two letters each */
    uint32_t term_count;
    const char *person_kind, *organisation_type;
    const struct uid *shared_with; /* sorted */
    const struct profile_concept *concepts;
    const struct profile_tag *tags;
    const struct wishes *wishes;          /* NULL: none */
    const uint32_t *terms;                /* packed, sorted, each term once */
    struct profile_text text[LANG_COUNT]; /* empty on the side that offers */
};

/* What turning a row into a profile needs; the dictionary learns new terms. */
struct profile_maker {
    const struct vocabulary *vocabulary;
    struct dictionary *dictionary;
    struct words *words;
    struct arena *scratch; /* reset by each use */
    /* NULL, or another's: its first `known_count` numbers are taken from there, and those of
     * `dictionary` come behind them. */
    const struct dictionary *known;
    uint32_t known_count;
};

enum kind profile_kind_parse(const char *text);
const char *profile_kind_name(enum kind kind);

/* A need or a placement: it seeks; all others offer. */
bool profile_kind_seeks(enum kind kind);

/* Lists that are longer than the limits above are cut; a concept outside the vocabulary is left
 * out.  INTERNAL: the row breaks the view's contract (no UUID, an unknown kind). */
must_use struct status profile_create(const struct profile_maker *maker,
                                      const struct profile_row *row, struct arena *arena,
                                      struct profile **ret);
void profile_drop(struct profile *profile);

/* "sv", "sv-FI" or "swe" as its first two letters; 0: no language. */
uint16_t profile_language(const char *tag);

/* Whether a tenant may see it. */
bool profile_visible(const struct profile *profile, const struct uid *tenant);

/* The packed term of this number, or 0. */
uint32_t profile_find_term(const struct profile *profile, uint32_t term);
