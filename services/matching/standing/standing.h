#pragma once

/* Standing searches: which of a million stored searches does one document satisfy?
 *
 * A search is found by its *anchor*, the rarest of its required terms: only documents with that
 * term can satisfy it. Within an anchor's list searches are grouped by their second rarest
 * term, so that a whole group is passed over by one bit. A search without required terms stands
 * in the lists of the rarest optional terms of which a document must have at least one. What an
 * anchor finds is checked exactly; rarity decides about time alone, never about results.
 *
 * One writer, many readers without locks (swap.h): standing_create, _apply and _destroy belong
 * to the writer's thread; standing_hold and standing_match to any, with a probe for each
 * thread.
 *
 * (Anchors of stored queries: Yan and Garcia-Molina, "Index structures for selective
 * dissemination of information", TODS 1994; layers merged by size: O'Neil et al., "The
 * log-structured merge-tree", 1996.)
 */

#include "common/base/status.h"
#include "services/matching/day.h"
#include "services/matching/swap.h"
#include "services/matching/uid.h"

#define STANDING_SEARCHES_MAX 2000000u
#define STANDING_CHANGES_MAX STANDING_SEARCHES_MAX /* of one batch */
#define STANDING_TENANTS_MAX 65536u
#define STANDING_TERMS_MAX (1u << 20) /* terms are numbers below */
#define STANDING_REQUIRED_MAX 5
#define STANDING_OPTIONAL_MAX 8
#define STANDING_REGIONS_MAX 16
#define STANDING_LANGUAGES_MAX 8
#define STANDING_NUTS_SIZE 6 /* a NUTS code of at most five letters, with its end */
#define STANDING_DAY_MAX 65534

struct standing_search {
    struct uid id, tenant;
    uint32_t required[STANDING_REQUIRED_MAX];   /* all of them; each term once */
    uint32_t optional[STANDING_OPTIONAL_MAX];   /* `least` of them; each term once */
    uint16_t languages[STANDING_LANGUAGES_MAX]; /* one of them; none: any */
    char regions[STANDING_REGIONS_MAX][STANDING_NUTS_SIZE]; /* beginnings; none: anywhere */
    int32_t latest; /* the document is there by this day, 0..STANDING_DAY_MAX; DAY_NONE: any */
    uint8_t required_count, optional_count, least, language_count, region_count;
    uint8_t kinds; /* bit n: kind n; 0: every kind */
};

struct standing_document {
    const uint32_t *terms; /* each once, in any order; those beyond STANDING_TERMS_MAX are
                              passed over */
    size_t term_count;
    const uint16_t *languages; /* none: satisfies every search */
    size_t language_count;
    const char *nuts;          /* "": nowhere */
    int32_t available_from;    /* DAY_NONE: is there already */
    uint8_t kind;              /* 0..7 */
    bool open;                 /* every tenant may see it */
    const struct uid *tenants; /* else: these */
    size_t tenant_count;
};

/* What to do with an id. */
struct standing_change {
    struct uid id;
    const struct standing_search *search; /* NULL: remove; not there: nothing happens */
};

struct standing;
struct standing_version;

must_use struct status standing_create(struct standing **ret);
/* No reader may hold anything any more. */
void standing_destroy(struct standing **standing);

/* Adds, changes and removes, each id once, all or nothing. `frequency[term]` says how many
 * documents have a term; terms beyond `frequency_count` count as rare.
 * INVALID_ARGUMENT: a search breaks the rules above, has neither a required term nor a least
 * number of optional ones, or an id comes twice. RESOURCE_EXHAUSTED: a limit, memory, or
 * readers that hold too many old versions. */
must_use struct status standing_apply(struct standing *standing, const uint32_t *frequency,
                                      size_t frequency_count,
                                      const struct standing_change *changes, size_t count);

/* How many searches stand, and the bytes of their layers. Writer's thread. */
size_t standing_count(const struct standing *standing);
size_t standing_bytes(const struct standing *standing);

/* A version for a reader; give it back with swap_release. */
must_use struct held standing_hold(struct standing *standing);

/* A search that is satisfied; lives as long as the version is held. */
struct standing_hit {
    const struct uid *id, *tenant;
};

/* A thread's room for matching: the bits of one document, and its hits (16 bytes each). */
struct standing_probe;
must_use struct status standing_probe_create(struct standing_probe **ret);
void standing_probe_destroy(struct standing_probe **probe);

struct standing_hits {
    const struct standing_hit *items; /* in the probe, until the next match; each search once */
    size_t count;
    uint64_t looked_at; /* groups and records: what it cost */
};

/* RESOURCE_EXHAUSTED: no memory for the hits. */
must_use struct status standing_match(const struct held *version, struct standing_probe *probe,
                                      const struct standing_document *document,
                                      struct standing_hits *ret);
