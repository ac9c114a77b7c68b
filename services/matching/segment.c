#include "services/matching/segment.h"

static void
destroy(struct segment **segment)
{
    struct segment *gone = *segment;

    if (!gone)
        return;
    for (uint32_t i = 0; i < gone->count; i++)
        profile_drop(gone->profiles[i]);
    free(gone->profiles);
    free(gone->seekers);
    free(gone->terms);
    free(gone->offsets);
    free(gone->postings);
    free(gone);
    *segment = NULL;
}

void
segment_hold(struct segment *segment)
{
    segment->references++;
}

void
segment_drop(struct segment *segment)
{
    if (segment && --segment->references == 0)
        destroy(&segment);
}

static int
compare(const struct profile *profile, enum kind kind, const struct uid *id)
{
    const int order = uid_compare(&profile->id, id);

    return order ? order : (int)profile->kind - (int)kind;
}

static int
by_id(const void *a, const void *b)
{
    const struct profile *left = *(struct profile *const *)a;
    const struct profile *right = *(struct profile *const *)b;

    return compare(left, (enum kind)right->kind, &right->id);
}

static struct status
copy_profiles(struct segment *segment, struct profile **profiles, uint32_t count)
{
    segment->profiles = calloc(count ? count : 1, sizeof *segment->profiles);
    segment->seekers = calloc(count ? count : 1, sizeof *segment->seekers);
    TRY(need(segment->profiles));
    TRY(need(segment->seekers));
    for (uint32_t i = 0; i < count; i++) {
        segment->profiles[i] = profiles[i];
        profiles[i]->references++;
        segment->count++;
        if (profile_kind_seeks((enum kind)profiles[i]->kind))
            segment->seekers[segment->seeker_count++] = i;
    }
    return OK;
}

/* Counts each term's profiles and gives the terms that have any a place: `places` becomes the
 * number of the term among them. */
static struct status
count_terms(struct segment *segment, uint32_t term_limit, uint32_t *places)
{
    uint64_t total = 0;
    uint32_t at = 0;

    for (uint32_t i = 0; i < segment->count; i++)
        for (uint32_t j = 0; j < segment->profiles[i]->term_count; j++)
            places[TERM_OF(segment->profiles[i]->terms[j])]++;
    for (uint32_t term = 0; term < term_limit; term++) {
        segment->term_count += places[term] > 0;
        total += places[term];
    }
    if (total > UINT32_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "a segment of the index is full");
    segment->terms = calloc(segment->term_count + 1, sizeof *segment->terms);
    segment->offsets = calloc((size_t)segment->term_count + 2, sizeof *segment->offsets);
    segment->postings = calloc(total ? total : 1, sizeof *segment->postings);
    TRY(need(segment->terms));
    TRY(need(segment->offsets));
    TRY(need(segment->postings));
    /* One place further on: filling moves each offset from its start to its end. */
    for (uint32_t term = 0; term < term_limit; term++) {
        if (places[term] == 0)
            continue;
        segment->terms[at] = term;
        segment->offsets[at + 2] = segment->offsets[at + 1] + places[term];
        places[term] = at++;
    }
    return OK;
}

static void
fill_postings(struct segment *segment, const uint32_t *places)
{
    for (uint32_t i = 0; i < segment->count; i++) {
        const struct profile *profile = segment->profiles[i];

        for (uint32_t j = 0; j < profile->term_count; j++) {
            const uint32_t packed = profile->terms[j];
            uint32_t *offset = &segment->offsets[places[TERM_OF(packed)] + 1];

            segment->postings[(*offset)++] = TERM_PACK(i, TERM_WEIGHT(packed));
        }
    }
}

static void
free_places(uint32_t **places)
{
    free(*places);
}

struct status
segment_create(struct profile **profiles, uint32_t count, uint32_t term_limit,
               struct segment **ret)
{
    scoped(destroy) struct segment *segment = NULL;
    scoped(free_places) uint32_t *places = NULL;

    if (count >= SEGMENT_PROFILES_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "a segment of the index is full");
    segment = calloc(1, sizeof *segment);
    places = calloc(term_limit ? term_limit : 1, sizeof *places);
    TRY(need(segment));
    TRY(need(places));
    segment->references = 1;
    if (count > 0)
        qsort(profiles, count, sizeof *profiles, by_id);
    TRY(copy_profiles(segment, profiles, count));
    TRY(count_terms(segment, term_limit, places));
    fill_postings(segment, places);
    *ret = take(&segment);
    return OK;
}

uint32_t
segment_find(const struct segment *segment, enum kind kind, const struct uid *id)
{
    uint32_t low = 0;
    uint32_t high = segment->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = compare(segment->profiles[middle], kind, id);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SEGMENT_NONE;
}

const uint32_t *
segment_list(const struct segment *segment, uint32_t term, uint32_t *ret_count)
{
    uint32_t low = 0;
    uint32_t high = segment->term_count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (segment->terms[middle] < term)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == segment->term_count || segment->terms[low] != term) {
        *ret_count = 0;
        return NULL;
    }
    *ret_count = segment->offsets[low + 1] - segment->offsets[low];
    return &segment->postings[segment->offsets[low]];
}
