#pragma once

/* A programme's rules, the members on board and those who could be added, as a pool.
 *
 * Weights: a member costs MODEL_MEMBER (or the cost given times that), to which come points for
 * what is missing in fit, reliability and novelty; a kind of organisation that nobody is of
 * costs MODEL_KIND, and a country that is new saves MODEL_COUNTRY.  The points of a whole set
 * stay below MODEL_MEMBER: size (or cost) decides first. */

#include "matching/v1/composition.pb-c.h"
#include "services/matching/composition/conflict.h"

#define MODEL_WEIGHTS "composition-1"
#define MODEL_MEMBER 200000u
#define MODEL_FIT 2u /* points for each thousandth that is missing */
#define MODEL_RELIABILITY 1u
#define MODEL_NOVELTY 1u
#define MODEL_KIND 500u
#define MODEL_COUNTRY 500u
#define MODEL_COST_MAX 5000u

struct model {
    struct pool pool;
    /* The same with those whom a rule about each single member keeps out, for naming conflicts:
     * behind the others, each in rows of such rules, which let nobody in. */
    struct pool all;
    const uint32_t *parties; /* [candidate of the pool]: index among the facts' candidates */
    /* What the pool's rows stand for, to name conflicts. */
    struct conflict_rule rules[CONFLICT_RULES_MAX];
    const char *rule_ids[CONFLICT_RULES_MAX];    /* NULL: a required concept */
    const char *concept_ids[CONFLICT_RULES_MAX]; /* NULL: a rule */
    size_t rule_count;
    const char *broken; /* a rule that those on board break already, or NULL */
};

/* The three kinds whose spread counts: learning, business, public and civil. */
unsigned model_kind(const char *type);

/* FAILED_PRECONDITION: the rule set asks something that the composer cannot weigh. */
must_use struct status
model_make(struct arena *arena, const Matching__V1__CompositionFacts *facts, struct model *ret);
