#pragma once

/* What an indicator is made of.  Pure. */

#include "common/base/arena.h"
#include "common/base/lang.h"
#include "common/base/status.h"
#include "registry/v1/indicators.pb-c.h"

enum indicator_code {
#define INDICATOR(name, code, target, target_source, claim, claim_source) INDICATOR_##name,
#include "services/registry/indicators/indicators.def"
#undef INDICATOR
    INDICATOR_COUNT,
};

/* Ended placements of a tenant, period and region. */
struct indicator_counts {
    uint64_t ended;
    uint64_t offered;    /* any kind of offer */
    uint64_t employment; /* permanent or fixed-term */
    uint64_t accepted;
    uint64_t missing; /* outcome pending or unknown */
};

/* NOT_FOUND. */
must_use struct status rules_indicator_find(struct arena *arena, const char *code,
                                            enum indicator_code *ret);

/* Dates in order, NUTS shape. */
must_use struct status rules_indicator_scope(struct arena *arena, const char *period_start,
                                             const char *period_end, const char *nuts_prefix);

/* Wilson score interval at 95 %, in thousandths, rounded outwards.  `trials` > 0 and
 * successes <= trials. */
void rules_indicator_wilson(uint64_t successes, uint64_t trials, uint32_t *ret_low,
                            uint32_t *ret_high);

/* Everything but the scope. */
void rules_indicator(enum indicator_code code, const struct indicator_counts *counts,
                     enum lang lang, Registry__V1__Indicator *ret);
