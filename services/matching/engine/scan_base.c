/* The scan of a base: area by area, the best regions first. */

#include "services/matching/engine/scan_parts.h"

static uint32_t
lower_bound(const uint32_t *list, uint32_t first, uint32_t end, uint32_t least)
{
    while (first < end) {
        const uint32_t middle = first + (end - first) / 2;

        if (list[middle] < least)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* Where a list's places of the area are. */
static void
open_sparse(struct sparse *sparse, const struct area *area, uint32_t number)
{
    const uint32_t limit = (area->first_block + area->block_count) * 64;

    if (sparse->near) {
        sparse->first = sparse->offsets[number];
        sparse->end = sparse->offsets[number + 1];
        if (sparse->first < sparse->end)
            __builtin_prefetch(&sparse->near[sparse->first]);
    } else {
        sparse->first = lower_bound(sparse->far, 0, sparse->count, area->first_block * 64);
        /* A rare term has few in an area, and all of them are read next. */
        sparse->end = sparse->first;
        while (sparse->end < sparse->count && sparse->far[sparse->end] < limit)
            sparse->end++;
    }
}

/* Adds a list's points, or takes them away again. */
static void
spread(struct scan_scratch *scratch, const struct sparse *sparse)
{
    uint16_t *sums = scratch->sums[sparse->lane];
    uint16_t *tops = scratch->tops[sparse->lane];
    const uint32_t first_place = scratch->first_block * 64;

    scratch->counts.postings += sparse->end - sparse->first;
    if (sparse->near)
        for (uint32_t i = sparse->first; i < sparse->end; i++)
            scan_add(sums, tops, sparse->near[i], sparse->points);
    else
        for (uint32_t i = sparse->first; i < sparse->end; i++)
            scan_add(sums, tops, sparse->far[i] - first_place, sparse->points);
}

static void
unspread(struct scan_scratch *scratch, const struct sparse *sparse)
{
    uint16_t *sums = scratch->sums[sparse->lane];
    uint16_t *tops = scratch->tops[sparse->lane];

    for (uint32_t i = sparse->first; i < sparse->end; i++) {
        const uint32_t place =
            sparse->near ? sparse->near[i] : sparse->far[i] - scratch->first_block * 64;

        sums[place] = 0;
        tops[place / 64] = 0;
    }
}

/* Which blocks of the area have somebody with all that is required, and who; false: none. */
static bool
find_allowed(struct scan_scratch *scratch, const struct area *area, uint32_t number)
{
    uint64_t any = 0;

    for (uint32_t i = 0; i < scratch->needed_count; i++) {
        struct needed *needed = &scratch->needed[i];

        if (needed->groups)
            continue;
        open_sparse(&needed->sparse, area, number);
        if (needed->sparse.first == needed->sparse.end)
            return false;
        memset(needed->blocks, 0, area->block_count * sizeof *needed->blocks);
        for (uint32_t j = needed->sparse.first; j < needed->sparse.end; j++) {
            const uint32_t place = needed->sparse.near
                                       ? needed->sparse.near[j]
                                       : needed->sparse.far[j] - area->first_block * 64;

            needed->blocks[place / 64] |= UINT64_C(1) << (place % 64);
        }
    }
    for (uint32_t group = 0; group < scratch->job.group_count; group++) {
        uint64_t blocks = scratch->keep[group];

        for (uint32_t i = 0; i < scratch->needed_count; i++)
            if (scratch->needed[i].groups)
                blocks &= scratch->needed[i].groups[area->first_group + group].present;
        scratch->keep[group] = 0;
        for (; blocks; blocks &= blocks - 1) {
            const uint32_t bit = (uint32_t)__builtin_ctzll(blocks);
            uint64_t who = ~UINT64_C(0);

            for (uint32_t i = 0; i < scratch->needed_count && who; i++) {
                const struct needed *needed = &scratch->needed[i];

                if (needed->groups) {
                    const struct base_group *at = &needed->groups[area->first_group + group];
                    const uint64_t before = at->present & ((UINT64_C(1) << bit) - 1);

                    who &= needed->words[at->first + (unsigned)__builtin_popcountll(before)];
                } else {
                    who &= needed->blocks[group * 64 + bit];
                }
            }
            scratch->allowed[group * 64 + bit] = who;
            scratch->keep[group] |= (uint64_t)(who != 0) << bit;
        }
        any |= scratch->keep[group];
    }
    return any != 0;
}

static void
gather_dense(struct scan_scratch *scratch, const struct area *area)
{
    const uint64_t *words = scratch->unit->base->words;
    const struct area_job *job = &scratch->job;

    for (uint32_t group = 0; group < job->group_count; group++) {
        uint64_t *present = &scratch->present[(size_t)group * job->stride];
        const uint64_t **at = &scratch->words[(size_t)group * job->stride];

        for (uint32_t i = 0; i < job->dense_count; i++) {
            const struct base_group *from = &scratch->groups[i][area->first_group + group];

            present[i] = from->present;
            at[i] = words + from->first;
        }
        for (uint32_t i = job->dense_count; i < job->stride; i++) {
            present[i] = 0;
            at[i] = words;
        }
    }
}

static void
scan_area(struct scan_scratch *scratch, const struct area *area, uint32_t number)
{
    const struct base *base = scratch->unit->base;
    struct area_job *job = &scratch->job;

    scratch->first_block = area->first_block;
    scan_keep_blocks(scratch, area->block_count);
    scratch->counts.blocks_kept += area->block_count;
    if (scratch->strict && !find_allowed(scratch, area, number))
        return;
    for (uint32_t i = 0; i < scratch->sparse_count; i++)
        open_sparse(&scratch->sparse[i], area, number);
    gather_dense(scratch, area);
    for (uint32_t i = 0; i < scratch->sparse_count; i++)
        spread(scratch, &scratch->sparse[i]);
    job->grades = base->grades + (size_t)area->first_block * 64;
    job->planes = base->planes + (size_t)area->first_block * base->class_count;
    job->class_count = base->class_count;
    job->region_points = scratch->query->region_points[area->region];
    scratch->query->kernel->area(job);
    for (uint32_t i = 0; i < scratch->sparse_count; i++)
        unspread(scratch, &scratch->sparse[i]);
}

static struct sparse
sparse_of(const struct base *base, const struct base_term *at, const struct scan_term *term)
{
    struct sparse sparse = {
        .count = at->count, .points = term ? term->points : 0, .lane = term ? term->lane : 0};

    if (at->form == FORM_NEAR) {
        sparse.near = base->near_places + at->at;
        sparse.offsets = base->offsets + at->directory;
    } else {
        sparse.far = base->far_places + at->at;
    }
    return sparse;
}

/* Looks the query's terms up. */
static void
open_terms(struct scan_scratch *scratch)
{
    const struct scan_query *query = scratch->query;
    const struct base *base = scratch->unit->base;
    struct area_job *job = &scratch->job;

    scratch->sparse_count = 0;
    job->dense_count = 0;
    for (size_t i = 0; i < query->term_count; i++)
        base_prefetch_term(base, query->terms[i].term);
    memset(job->lane_ends, 0, sizeof job->lane_ends);
    for (size_t i = 0; i < query->term_count; i++) {
        const struct scan_term *term = &query->terms[i];
        const uint32_t number = base_find_term(base, term->term);

        if (number != BASE_NONE && base->terms[number].form == FORM_DENSE) {
            scratch->groups[job->dense_count] = base->groups + base->terms[number].directory;
            scratch->points[job->dense_count++] = term->points;
        } else if (number != BASE_NONE) {
            scratch->sparse[scratch->sparse_count++] =
                sparse_of(base, &base->terms[number], term);
        }
        for (uint32_t lane = term->lane; lane < KERNEL_LANES; lane++)
            job->lane_ends[lane] = job->dense_count;
    }
    job->stride = (job->dense_count + 7) / 8 * 8;
}

/* false: somebody required is nowhere in this base. */
static bool
open_required(struct scan_scratch *scratch)
{
    const struct scan_query *query = scratch->query;
    const struct base *base = scratch->unit->base;

    scratch->needed_count = 0;
    for (size_t i = 0; i < query->required_count; i++) {
        const uint32_t number = base_find_term(base, query->required[i]);
        struct needed *needed = &scratch->needed[scratch->needed_count];

        if (number == BASE_NONE)
            return false;
        *needed = (struct needed){.blocks = scratch->needed_blocks +
                                            (size_t)scratch->needed_count * AREA_BLOCKS};
        if (base->terms[number].form == FORM_DENSE) {
            needed->groups = base->groups + base->terms[number].directory;
            needed->words = base->words;
        } else {
            needed->sparse = sparse_of(base, &base->terms[number], NULL);
        }
        scratch->needed_count++;
    }
    return true;
}

static int
by_points(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;

    return (left < right) - (left > right);
}

void
scan_base(struct scan_scratch *scratch)
{
    const struct scan_query *query = scratch->query;
    const struct base *base = scratch->unit->base;
    size_t wanted = 0;

    if (!open_required(scratch))
        return;
    open_terms(scratch);
    for (uint32_t i = 0; i < base->area_count; i++) {
        const uint16_t region = base->areas[i].region;

        if (region < query->region_count && query->region_points[region] != SCAN_CLOSED)
            scratch->order[wanted++] =
                (uint64_t)query->region_points[region] << 32 | (UINT32_MAX - i);
    }
    qsort(scratch->order, wanted, sizeof *scratch->order, by_points);
    for (size_t i = 0; i < wanted; i++) {
        const uint32_t number = UINT32_MAX - (uint32_t)scratch->order[i];

        scan_area(scratch, &base->areas[number], number);
    }
}
