#pragma once

/* What a reader holds: bases, tails and who is dead in them, as of one moment. */

#include "services/matching/engine/base.h"
#include "services/matching/engine/dead.h"
#include "services/matching/engine/tail.h"

#define VERSION_UNITS_MAX 32u

/* A base or a tail. */
struct unit {
    struct base *base; /* or NULL */
    struct tail *tail; /* or NULL */
    struct dead *dead;
    uint32_t places;     /* of a tail: how many are in */
    uint32_t dead_count; /* without the empty ones */
    bool sealed;         /* of a tail: nothing more comes, though there may be room */
};

struct version {
    uint32_t unit_count;
    struct unit units[VERSION_UNITS_MAX]; /* in the order of their age */
    uint32_t live;
    /* the engine's */
    uint64_t sequence;
    struct version *older, *newer;
};

/* A document of a version. */
struct place {
    const struct unit *unit;
    uint32_t number;
};

/* The live document with this id for which `is` says yes (NULL: any); false: there is none. */
bool version_find(const struct version *version, uint64_t id,
                  bool (*is)(void *context, void *item), void *context, struct place *ret);

/* Its terms go into `terms` (DOCUMENT_TERMS_MAX). */
void place_read(const struct place *place, uint32_t *terms, struct document *ret);
/* Its terms alone, which is less work; how many there are. */
uint32_t place_terms(const struct place *place, uint32_t *terms);
void *place_item(const struct place *place);
uint64_t place_id(const struct place *place);

/* Calls for each live document that is of one of these classes (0: of any) until it returns
 * false. */
void version_each(const struct version *version, uint64_t classes,
                  bool (*visit)(void *context, const struct place *place), void *context);

/* The live places of a block of a unit. */
uint64_t unit_live(const struct unit *unit, uint32_t block);
uint32_t unit_block_count(const struct unit *unit);

/* The writer's: what a unit is made of is held by count. */
void unit_hold(const struct unit *unit);
void unit_drop(struct unit *unit); /* leaves it empty */
