/* The scan of a tail: one area of many regions, where every term is sparse. */

#include "services/matching/engine/scan_parts.h"

static bool
find_late_required(struct scan_scratch *scratch)
{
    const struct scan_query *query = scratch->query;
    const uint32_t places = scratch->unit->places;
    uint64_t *who = scratch->needed_blocks;
    uint64_t any = 0;

    memset(scratch->allowed, 0xff, scratch->job.block_count * sizeof *scratch->allowed);
    for (size_t i = 0; i < query->required_count; i++) {
        const _Atomic(uint16_t) *list = tail_list(scratch->unit->tail, query->required[i]);
        uint32_t place;

        if (!list)
            return false;
        memset(who, 0, scratch->job.block_count * sizeof *who);
        while ((place = atomic_load_explicit(list++, memory_order_relaxed)) < places)
            who[place / 64] |= UINT64_C(1) << (place % 64);
        for (uint32_t j = 0; j < scratch->job.block_count; j++)
            scratch->allowed[j] &= who[j];
    }
    for (uint32_t i = 0; i < scratch->job.block_count; i++) {
        if (!scratch->allowed[i])
            scratch->keep[i / 64] &= ~(UINT64_C(1) << (i % 64));
        any |= scratch->allowed[i];
    }
    return any != 0;
}

/* The points of regions and terms. */
static void
spread_late(struct scan_scratch *scratch)
{
    const struct scan_query *query = scratch->query;
    const struct unit *unit = scratch->unit;

    for (uint32_t i = 0; i < unit->places; i++) {
        const uint16_t region = unit->tail->regions[i];
        const uint16_t points = region < query->region_count ? query->region_points[region] : 0;

        scratch->late[i] = points == SCAN_CLOSED ? 0 : points;
        if (scratch->late[i] > scratch->job.place_most)
            scratch->job.place_most = scratch->late[i];
    }
    for (size_t i = 0; i < query->term_count; i++) {
        const struct scan_term *term = &query->terms[i];
        const _Atomic(uint16_t) *list = tail_list(unit->tail, term->term);
        uint32_t place;

        if (!list)
            continue;
        while ((place = atomic_load_explicit(list++, memory_order_relaxed)) < unit->places) {
            scan_add(scratch->sums[term->lane], scratch->tops[term->lane], place, term->points);
            scratch->counts.postings++;
        }
    }
}

void
scan_tail(struct scan_scratch *scratch)
{
    const struct unit *unit = scratch->unit;
    struct area_job *job = &scratch->job;

    if (unit->places == 0)
        return;
    scratch->first_block = 0;
    scan_keep_blocks(scratch, (unit->places + 63) / 64);
    if (scratch->strict && !find_late_required(scratch))
        return;
    job->place_most = 0;
    job->place_points = scratch->late;
    spread_late(scratch);
    job->dense_count = job->stride = 0;
    memset(job->lane_ends, 0, sizeof job->lane_ends);
    job->grades = unit->tail->grades;
    job->planes = NULL;
    job->region_points = 0;
    scratch->query->kernel->area(job);
    job->place_points = NULL;
    job->place_most = 0;
    for (uint32_t lane = 0; lane < job->lane_count; lane++) {
        memset(scratch->sums[lane], 0, (size_t)job->block_count * 64 * sizeof(uint16_t));
        memset(scratch->tops[lane], 0, job->block_count * sizeof(uint16_t));
    }
}
