#include "services/matching/facts.h"

#include "services/matching/hash.h"
#include "services/matching/traits.h"

/* Classes: kinds, languages by a hash, who may see it by a hash of the tenant. */
#define KIND_FIRST 0u
#define LANGUAGE_NONE 6u
#define LANGUAGE_FIRST 7u
#define LANGUAGE_BUCKETS 16u
#define SEEN_BY_ALL 23u
#define SEEN_FIRST 24u
#define SEEN_BUCKETS 32u

#define EPOCH_DAY 10957 /* 2000-01-01; days of documents count from it */
#define GRADE_DAYS 32
#define NUTS2 4u
#define UNIT_POINTS 60000u /* what sums of a scan stay below */
#define CLUSTERS 251u

_Static_assert(SEEN_FIRST + SEEN_BUCKETS == FACTS_CLASSES, "classes are counted");
_Static_assert(KERNEL_ADDED_LANE == LANE_COUNT && KERNEL_FIRST_LANES == LANE_TEXT,
               "a lane of the scan for each lane of the score");

struct status
facts_region(struct facts_regions *regions, const struct profile *profile, uint16_t *ret)
{
    char name[FACTS_REGION_SIZE] = "";
    uint32_t number;

    memcpy(name, profile->nuts, strnlen(profile->nuts, NUTS2));
    number = dictionary_find(&regions->numbers,
                             hash_finish(hash_more(HASH_START, name, strlen(name))));
    if (number == DICTIONARY_NONE) {
        if (regions->count + 1 >= DOCUMENT_REGIONS_MAX) {
            *ret = 0;
            return OK;
        }
        TRY(dictionary_put(&regions->numbers,
                           hash_finish(hash_more(HASH_START, name, strlen(name))), &number));
        memcpy(regions->names[number + 1], name, sizeof name);
        regions->count = number + 1;
    }
    *ret = (uint16_t)(number + 1);
    return OK;
}

uint64_t
facts_id(enum kind kind, const struct uid *id)
{
    const uint8_t number = (uint8_t)kind;

    return hash_finish(hash_more(hash_more(HASH_START, id, sizeof *id), &number, 1));
}

uint64_t
facts_kind_classes(unsigned kinds)
{
    uint64_t classes = 0;

    for (unsigned kind = KIND_PERSON; kind < KIND_COUNT; kind++)
        if (!kinds || kinds >> kind & 1)
            classes |= UINT64_C(1) << (KIND_FIRST + kind);
    return classes;
}

static uint64_t
language_classes(const struct profile *profile)
{
    uint64_t classes = 0;

    for (size_t i = 0; i < profile->language_count; i++) {
        const uint64_t key =
            hash_finish(hash_more(HASH_START, &profile->languages[i], sizeof(uint16_t)));

        classes |= UINT64_C(1) << (LANGUAGE_FIRST + key % LANGUAGE_BUCKETS);
    }
    return classes ? classes : UINT64_C(1) << LANGUAGE_NONE;
}

static uint64_t
tenant_class(const struct uid *tenant)
{
    const uint64_t key = hash_finish(hash_more(HASH_START, tenant, sizeof *tenant));

    return UINT64_C(1) << (SEEN_FIRST + key % SEEN_BUCKETS);
}

static uint64_t
sight_classes(const struct profile *profile)
{
    uint64_t classes = tenant_class(&profile->tenant);

    if (profile->visibility == VISIBLE_PUBLIC)
        return classes | UINT64_C(1) << SEEN_BY_ALL;
    if (profile->visibility == VISIBLE_SHARED)
        for (size_t i = 0; i < profile->shared_count; i++)
            classes |= tenant_class(&profile->shared_with[i]);
    return classes;
}

/* A day in the numbers of documents; they keep the order. */
static uint16_t
day_number(int32_t day, uint16_t none)
{
    if (day == DAY_NONE)
        return none;
    if (day <= EPOCH_DAY)
        return 0;
    return day - EPOCH_DAY < UINT16_MAX ? (uint16_t)(day - EPOCH_DAY) : UINT16_MAX;
}

static uint32_t
grade_of_day(int32_t day)
{
    return (uint32_t)(day < 0 ? 0 : day / GRADE_DAYS) % DOCUMENT_GRADES;
}

/* What stands above a concept and has nothing above it, as a small number. */
static uint32_t
cluster_of(const struct vocabulary *vocabulary, uint32_t concept)
{
    for (int depth = 0; depth < VOCABULARY_DEPTH_MAX; depth++) {
        const uint32_t broader = vocabulary_broader(vocabulary, concept);

        if (broader == VOCABULARY_NONE)
            break;
        concept = broader;
    }
    return concept % CLUSTERS + 1;
}

/* The two clusters with most of the profile's concepts. */
uint16_t
facts_order(const struct vocabulary *vocabulary, const struct profile *profile)
{
    uint8_t counts[CLUSTERS + 1] = {0};
    uint32_t first = 0;
    uint32_t second = 0;

    for (size_t i = 0; i < profile->concept_count; i++)
        counts[cluster_of(vocabulary, profile->concepts[i].concept)]++;
    for (uint32_t i = 1; i <= CLUSTERS; i++) {
        if (counts[i] > counts[first]) {
            second = first;
            first = i;
        } else if (counts[i] > counts[second]) {
            second = i;
        }
    }
    return (uint16_t)(first << 8 | second);
}

uint32_t
facts_term_limit(uint32_t profile_terms)
{
    return TRAIT_TERMS + profile_terms;
}

void
facts_document(const struct profile *profile, uint16_t region, uint16_t order, uint32_t *terms,
               struct document *ret)
{
    const struct wall updated = {profile->updated_unix_ms};
    const bool offers = !profile_kind_seeks((enum kind)profile->kind);
    const uint32_t traits = offers ? (uint32_t)traits_offered(profile, terms) : 0;

    for (uint32_t i = 0; i < profile->term_count; i++)
        terms[traits + i] = TRAIT_TERMS + TERM_OF(profile->terms[i]);
    *ret = (struct document){.id = facts_id((enum kind)profile->kind, &profile->id),
                             .terms = terms,
                             .term_count = traits + profile->term_count,
                             .classes = facts_kind_classes(1u << profile->kind) |
                                        language_classes(profile) | sight_classes(profile),
                             .region = region,
                             .order = order,
                             .from = day_number(profile->available_from, 0),
                             .until = day_number(profile->valid_until, UINT16_MAX),
                             .grade = (uint8_t)grade_of_day(day_of(updated))};
}

/* ---- a search ---- */

static uint16_t
units(const struct facts_scan *scan, uint32_t points)
{
    return (uint16_t)((points + scan->unit - 1) / scan->unit);
}

/* Whether a profile of the region may have a NUTS code that begins so. */
static bool
may_begin(const char *region, const char *prefix)
{
    const size_t length = strlen(region);
    const size_t wanted = strlen(prefix);

    if (length < NUTS2)
        return wanted <= length && strncmp(region, prefix, wanted) == 0;
    return strncmp(region, prefix, wanted < NUTS2 ? wanted : NUTS2) == 0;
}

static void
bound_regions(const struct search *search, const struct facts_regions *regions, uint32_t count,
              struct facts_scan *scan)
{
    const char *here = search->subject->nuts;

    scan->region_points[0] = units(scan, SCORE_REGION_MAX);
    for (uint32_t i = 1; i <= count; i++) {
        const char *name = regions->names[i];
        size_t same = 0;

        while (name[same] && name[same] == here[same])
            same++;
        /* A profile of a whole NUTS 2 region may be in the same NUTS 3 region as well. */
        if (same == NUTS2)
            same = here[NUTS2] ? NUTS2 + 1 : NUTS2;
        scan->region_points[i] = search->nuts && !may_begin(name, search->nuts)
                                     ? SCAN_CLOSED
                                     : units(scan, score_region_points(same));
    }
    scan->query.region_points = scan->region_points;
    scan->query.region_count = count + 1;
}

/* The freshest that a profile of a grade can be.  Grades come round: those ahead of today and
 * those long past cannot be told apart, and count as fresh. */
static void
bound_grades(const struct search *search, struct facts_scan *scan)
{
    const int32_t today = day_of(search->context->now);

    for (uint32_t i = 0; i < DOCUMENT_GRADES; i++)
        scan->query.grade_points[i] = units(scan, SCORE_FRESHNESS_MAX);
    for (int32_t back = 0; back < (int32_t)DOCUMENT_GRADES / 2; back++) {
        const int32_t last = (today / GRADE_DAYS - back) * GRADE_DAYS + GRADE_DAYS - 1;

        if (last >= 0 && last < today)
            scan->query.grade_points[grade_of_day(last)] =
                units(scan, score_freshness(today - last - 1));
    }
}

static void
bound_terms(const struct query *query, struct facts_scan *scan)
{
    for (size_t lane = 0; lane < LANE_COUNT; lane++)
        for (size_t i = 0; i < query->term_count[lane]; i++) {
            const struct query_term *term = &query->terms[lane][i];

            scan->terms[scan->query.term_count++] = (struct scan_term){
                TRAIT_TERMS + term->term, units(scan, term->points), (uint8_t)lane};
        }
    scan->query.terms = scan->terms;
}

static void
bound_traits(const struct profile *seeker, struct facts_scan *scan)
{
    struct query_term sought[TRAITS_MAX];
    const size_t count = traits_sought(seeker, sought);

    for (size_t i = 0; i < count; i++)
        scan->terms[scan->query.term_count++] = (struct scan_term){
            sought[i].term, units(scan, sought[i].points), KERNEL_ADDED_LANE};
}

static void
filter(const struct search *search, struct facts_scan *scan)
{
    const struct profile *seeker = search->subject;
    const struct uid *viewer = search->viewer ? search->viewer : &seeker->tenant;
    const int32_t today = day_of(search->context->now);
    const int32_t start = seeker->available_from > today ? seeker->available_from : today;
    size_t count = 0;

    scan->any_of[count++] = facts_kind_classes(search->kinds);
    scan->any_of[count++] = tenant_class(viewer) | UINT64_C(1) << SEEN_BY_ALL;
    if (seeker->language_count > 0)
        scan->any_of[count++] = language_classes(seeker) | UINT64_C(1) << LANGUAGE_NONE;
    scan->query.any_of = scan->any_of;
    scan->query.any_count = count;
    scan->query.latest_from = day_number(seeker->valid_until, UINT16_MAX);
    scan->query.earliest_until = day_number(start, 0);
}

void
facts_scan(const struct search *search, const struct query *query,
           const struct facts_regions *regions, uint32_t region_count, struct facts_scan *ret)
{
    const struct score_rules *rules = search->context->rules;
    uint32_t boosts = 0;

    for (size_t i = 0; i < rules->boost_count; i++)
        boosts += rules->boosts[i].points;
    ret->unit = (SCORE_MAX + boosts) / UNIT_POINTS + 1;
    ret->boosts = boosts;
    ret->query = (struct scan_query){
        .least_terms = (uint16_t)(rules->substance_min / ret->unit), .kernel = search->kernel};
    bound_terms(query, ret);
    bound_traits(search->subject, ret);
    bound_regions(search, regions, region_count, ret);
    bound_grades(search, ret);
    filter(search, ret);
}

uint16_t
facts_least(const struct facts_scan *scan, uint32_t total)
{
    const uint32_t least = total > scan->boosts ? (total - scan->boosts) / scan->unit : 0;

    return (uint16_t)(least < UINT16_MAX ? least : UINT16_MAX);
}

uint32_t
facts_substance(const struct facts_scan *scan, uint16_t terms)
{
    return terms < SCAN_POINTS_MAX ? terms * scan->unit : SCORE_MAX;
}
