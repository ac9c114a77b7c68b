#include "services/registry/indicators/rules.h"

#include <math.h>
#include <string.h>

#include "services/registry/values/values.h"

#define Z_95 1.959963984540054 /* 97.5 % quantile of the normal distribution */

enum indicator_text {
#define TEXT(name, sv, fi, en) TEXT_##name,
#include "services/registry/indicators/texts.def"
#undef TEXT
};

static const struct text texts[] = {
#define TEXT(name, sv, fi, en) [TEXT_##name] = {{sv, fi, en}},
#include "services/registry/indicators/texts.def"
#undef TEXT
};

#define TEXT(name, sv, fi, en) TEXT_COMPLETE(sv, fi, en);
#include "services/registry/indicators/texts.def"
#undef TEXT

static const struct {
    const char *code;
    uint32_t target, claim;
    const char *target_source, *claim_source;
    enum indicator_text title, definition;
} definitions[] = {
#define INDICATOR(name, code, target, target_source, claim, claim_source)                      \
    [INDICATOR_##name] = {code,                                                                \
                          target,                                                              \
                          claim,                                                               \
                          target_source,                                                       \
                          claim_source,                                                        \
                          TEXT_##name##_TITLE,                                                 \
                          TEXT_##name##_DEFINITION},
#include "services/registry/indicators/indicators.def"
#undef INDICATOR
};

struct status
rules_indicator_find(struct arena *arena, const char *code, enum indicator_code *ret)
{
    for (size_t i = 0; i < COUNT_OF(definitions); i++)
        if (strcmp(code, definitions[i].code) == 0) {
            *ret = (enum indicator_code)i;
            return OK;
        }
    return FAIL(arena, NOT_FOUND, "there is no indicator %.60s", code);
}

struct status
rules_indicator_scope(struct arena *arena, const char *period_start, const char *period_end,
                      const char *nuts_prefix)
{
    TRY(values_date(arena, "period_start", period_start, false));
    TRY(values_date(arena, "period_end", period_end, false));
    if (*period_start && *period_end && strcmp(period_end, period_start) <= 0)
        return FAIL_FIELD(arena, "period_end", "must be after period_start");
    return values_nuts(arena, "nuts_prefix", nuts_prefix);
}

void
rules_indicator_wilson(uint64_t successes, uint64_t trials, uint32_t *ret_low,
                       uint32_t *ret_high)
{
    const double n = (double)trials;
    const double share = (double)successes / n;
    const double z2 = Z_95 * Z_95;
    const double centre = share + z2 / (2 * n);
    const double half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
    const double scale = 1000 / (1 + z2 / n);
    const double low = floor((centre - half) * scale + 1e-9);
    const double high = ceil((centre + half) * scale - 1e-9);

    *ret_low = low > 0 ? (uint32_t)low : 0;
    *ret_high = high < 1000 ? (uint32_t)high : 1000;
}

static uint64_t
numerator(enum indicator_code code, const struct indicator_counts *counts)
{
    switch (code) {
    case INDICATOR_OFFERED:
        return counts->offered;
    case INDICATOR_EMPLOYMENT:
        return counts->employment;
    default:
        return counts->accepted;
    }
}

void
rules_indicator(enum indicator_code code, const struct indicator_counts *counts, enum lang lang,
                Registry__V1__Indicator *ret)
{
    ret->code = definitions[code].code;
    ret->title = texts[definitions[code].title].in[lang];
    ret->definition = texts[definitions[code].definition].in[lang];
    ret->target_thousandths = definitions[code].target;
    ret->target_source = definitions[code].target_source;
    ret->claim_thousandths = definitions[code].claim;
    ret->claim_source = definitions[code].claim_source;
    ret->numerator = numerator(code, counts);
    ret->denominator = counts->ended;
    ret->missing = counts->missing;
    ret->defined = counts->ended > 0;
    if (!ret->defined)
        return;
    ret->value_thousandths =
        (uint32_t)((ret->numerator * 1000 + ret->denominator / 2) / ret->denominator);
    rules_indicator_wilson(ret->numerator, ret->denominator, &ret->interval_low_thousandths,
                           &ret->interval_high_thousandths);
}
