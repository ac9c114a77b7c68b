#include "services/matching/score.h"

#include "services/matching/wishes.h"

#define FRESH_DAYS 30  /* fully fresh */
#define STALE_DAYS 365 /* not fresh at all */
#define MS_PER_DAY INT64_C(86400000)
#define NUTS_LEVELS 5

enum lane
score_best_text(const uint32_t lanes[LANE_COUNT])
{
    enum lane best = LANE_TEXT;

    for (int lane = LANE_TEXT + 1; lane < LANE_COUNT; lane++)
        if (lanes[lane] > lanes[best])
            best = (enum lane)lane;
    return best;
}

enum lane
score_best_concepts(const uint32_t lanes[LANE_COUNT])
{
    return lanes[LANE_NAMES] > lanes[LANE_CONCEPTS] ? LANE_NAMES : LANE_CONCEPTS;
}

static bool
kinds_pair(const struct profile *seeker, const struct profile *offer)
{
    switch ((enum kind)seeker->kind) {
    case KIND_NEED:
        return offer->kind == KIND_PERSON || offer->kind == KIND_CAPABILITY ||
               offer->kind == KIND_INFRASTRUCTURE;
    case KIND_PLACEMENT:
        /* A placement takes a graduate and coaches; those still studying are not eligible. */
        return offer->kind == KIND_PERSON && strcmp(offer->person_kind, "student") != 0;
    default:
        return false;
    }
}

static bool
dates_meet(int32_t today, const struct profile *seeker, const struct profile *offer)
{
    if ((seeker->valid_until != DAY_NONE && seeker->valid_until < today) ||
        (offer->valid_until != DAY_NONE && offer->valid_until < today))
        return false;
    if (offer->available_from != DAY_NONE && seeker->valid_until != DAY_NONE &&
        offer->available_from > seeker->valid_until)
        return false;
    return seeker->available_from == DAY_NONE || offer->valid_until == DAY_NONE ||
           seeker->available_from <= offer->valid_until;
}

/* A side that names no language takes any. */
static bool
languages_meet(const struct profile *seeker, const struct profile *offer)
{
    if (seeker->language_count == 0 || offer->language_count == 0)
        return true;
    for (size_t i = 0; i < seeker->language_count; i++)
        for (size_t j = 0; j < offer->language_count; j++)
            if (seeker->languages[i] == offer->languages[j])
                return true;
    return false;
}

bool
score_admits(const struct score_context *context, const struct profile *seeker,
             const struct profile *offer)
{
    if (!kinds_pair(seeker, offer) || offer->capacity == 0 || seeker->capacity == 0)
        return false;
    if (!uid_is_zero(&seeker->owner) && uid_equal(&seeker->owner, &offer->owner))
        return false;
    return languages_meet(seeker, offer) && dates_meet(day_of(context->now), seeker, offer);
}

/* Letters of the NUTS code in common: 2 country, 3, 4 and 5 the levels; 0: none. */
size_t
score_region_level(const struct profile *seeker, const struct profile *offer)
{
    size_t same = 0;

    while (same < NUTS_LEVELS && seeker->nuts[same] && seeker->nuts[same] == offer->nuts[same])
        same++;
    return same < 2 ? 0 : same;
}

uint32_t
score_region_points(size_t level)
{
    static const uint32_t points[NUTS_LEVELS + 1] = {0,
                                                     0,
                                                     SCORE_REGION_MAX / 5,
                                                     SCORE_REGION_MAX * 2 / 5,
                                                     SCORE_REGION_MAX * 7 / 10,
                                                     SCORE_REGION_MAX};

    return points[level];
}

/* Digits of ISCED-F that the nearest two fields have in common: 0, 2, 3 or 4. */
size_t
score_field_digits(const struct profile *seeker, const struct profile *offer,
                   const char **ret_code)
{
    size_t best = 0;

    for (size_t i = 0; i < seeker->field_count; i++) {
        for (size_t j = 0; j < offer->field_count; j++) {
            size_t same = 0;

            while (same < 4 && seeker->isced_f[i][same] &&
                   seeker->isced_f[i][same] == offer->isced_f[j][same])
                same++;
            if (same > best) {
                best = same;
                if (ret_code)
                    *ret_code = offer->isced_f[j];
            }
        }
    }
    return best < 2 ? 0 : best;
}

uint32_t
score_field_points(size_t digits)
{
    static const uint32_t points[5] = {0, 0, SCORE_FIELD_MAX * 2 / 5, SCORE_FIELD_MAX * 7 / 10,
                                       SCORE_FIELD_MAX};

    return points[digits];
}

uint32_t
score_level_points(unsigned below)
{
    return below == 0 ? SCORE_LEVEL_MAX : below == 1 ? SCORE_LEVEL_MAX / 3 : 0;
}

static uint32_t
level_points(const struct profile *seeker, const struct profile *offer)
{
    if (seeker->eqf == 0 || offer->eqf == 0)
        return 0;
    return score_level_points(offer->eqf < seeker->eqf ? seeker->eqf - (unsigned)offer->eqf
                                                       : 0);
}

uint32_t
score_tag_points(const struct profile *seeker)
{
    return seeker->tag_count ? SCORE_FOCUS_MAX / seeker->tag_count : 0;
}

bool
score_has_tag(const struct profile *profile, uint64_t key)
{
    for (size_t i = 0; i < profile->tag_count; i++)
        if (profile->tags[i].key == key)
            return true;
    return false;
}

static uint32_t
focus_points(const struct profile *seeker, const struct profile *offer)
{
    uint32_t met = 0;

    for (size_t i = 0; i < seeker->tag_count; i++)
        met += score_has_tag(offer, seeker->tags[i].key);
    return met * score_tag_points(seeker);
}

uint32_t
score_freshness(int64_t days)
{
    if (days <= FRESH_DAYS)
        return SCORE_FRESHNESS_MAX;
    if (days >= STALE_DAYS)
        return 0;
    return (uint32_t)((int64_t)SCORE_FRESHNESS_MAX * (STALE_DAYS - days) /
                      (STALE_DAYS - FRESH_DAYS));
}

/* The side that was confirmed longer ago counts. */
static uint32_t
freshness_points(const struct score_context *context, const struct profile *seeker,
                 const struct profile *offer)
{
    const int64_t older = seeker->updated_unix_ms < offer->updated_unix_ms
                              ? seeker->updated_unix_ms
                              : offer->updated_unix_ms;

    return score_freshness((context->now.unix_ms - older) / MS_PER_DAY);
}

static bool
is_rural(const struct score_rules *rules, const struct profile *profile)
{
    for (size_t i = 0; i < rules->rural_count; i++)
        if (strncmp(profile->nuts, rules->rural[i], strlen(rules->rural[i])) == 0)
            return true;
    return false;
}

bool
score_boost_applies(const struct score_context *context, const struct boost *boost,
                    const struct profile *seeker, const struct profile *offer)
{
    const int32_t today = day_of(context->now);

    if (today < boost->first_day || today > boost->last_day)
        return false;
    switch (boost->name) {
    case BOOST_RURAL:
        return is_rural(context->rules, seeker) || is_rural(context->rules, offer);
    case BOOST_SME:
        return seeker->sme || offer->sme;
    case BOOST_NAME_COUNT:
        break;
    }
    return false;
}

static uint32_t
boost_points(const struct score_context *context, const struct profile *seeker,
             const struct profile *offer)
{
    uint32_t points = 0;

    for (size_t i = 0; i < context->rules->boost_count; i++)
        if (score_boost_applies(context, &context->rules->boosts[i], seeker, offer))
            points += context->rules->boosts[i].points;
    return points;
}

uint32_t
score_breadth(const struct profile *offer)
{
    const uint32_t count = offer->concept_count;

    if (count <= SCORE_BREADTH_FREE)
        return 1000;
    return 1000 -
           SCORE_BREADTH_LOSS * (score_log2(count) - score_log2(SCORE_BREADTH_FREE)) / 256;
}

/* Takes off what the person's own wishes cost; boosts are not theirs to lessen. */
static void
weigh_wishes(const struct query *query, const struct profile *offer, struct score *score)
{
    const uint32_t fit = score->total - score->parts[PART_BOOST];

    if (!offer->wishes)
        return;
    score->parts[PART_WISHES] =
        wishes_deduction(fit, wishes_fit(&query->statistics, offer->wishes, query->seeker));
    score->total -= score->parts[PART_WISHES];
}

bool
score_finish(const struct score_context *context, const struct query *query,
             const struct profile *offer, const uint32_t lanes[LANE_COUNT], struct score *ret)
{
    const struct profile *seeker = query->seeker;
    struct score score = {0};

    score.parts[PART_CONCEPTS] =
        lanes[score_best_concepts(lanes)] * score_breadth(offer) / 1000;
    score.parts[PART_TEXT] = lanes[score_best_text(lanes)];
    if (score.parts[PART_CONCEPTS] + score.parts[PART_TEXT] < context->rules->substance_min)
        return false;
    score.parts[PART_FIELD] = score_field_points(score_field_digits(seeker, offer, NULL));
    score.parts[PART_LEVEL] = level_points(seeker, offer);
    score.parts[PART_REGION] = score_region_points(score_region_level(seeker, offer));
    score.parts[PART_FOCUS] = focus_points(seeker, offer);
    score.parts[PART_FRESHNESS] = freshness_points(context, seeker, offer);
    score.parts[PART_BOOST] = boost_points(context, seeker, offer);
    for (size_t part = 0; part < PART_COUNT; part++)
        score.total += score.parts[part];
    weigh_wishes(query, offer, &score);
    *ret = score;
    return true;
}

bool
score_most(const struct score_context *context, const struct query *query,
           const struct profile *offer, uint32_t substance, struct score *ret)
{
    uint32_t lanes[LANE_COUNT] = {0};
    uint32_t text = 0;

    for (int lane = LANE_TEXT; lane < LANE_COUNT; lane++)
        if (query->term_count[lane] > 0)
            text = SCORE_TEXT_MAX;
    /* Breadth takes nothing from the text. */
    lanes[LANE_TEXT] = substance < text ? substance : text;
    lanes[LANE_CONCEPTS] = substance - lanes[LANE_TEXT];
    return score_finish(context, query, offer, lanes, ret);
}

bool
score_pair(const struct score_context *context, const struct query *query,
           const struct profile *offer, struct score *ret)
{
    uint32_t lanes[LANE_COUNT];

    query_lanes(query, offer, lanes);
    return score_finish(context, query, offer, lanes, ret);
}
