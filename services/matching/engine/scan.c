#include "services/matching/engine/scan.h"

#include "services/matching/engine/scan_parts.h"

void
scan_scratch_destroy(struct scan_scratch **scratch)
{
    if (*scratch)
        bulk_clear(&(*scratch)->bulk);
    free(*scratch);
    *scratch = NULL;
}

const struct scan_counts *
scan_counts(const struct scan_scratch *scratch)
{
    return &scratch->counts;
}

struct carving {
    char *memory; /* NULL: only counting */
    size_t used;
};

static void *
carve(struct carving *carving, size_t count, size_t size)
{
    void *at = carving->memory ? carving->memory + carving->used : NULL;

    carving->used += (count * size + 63) / 64 * 64;
    return at;
}

static void
carve_all(struct scan_scratch *scratch, struct carving *carving)
{
    for (uint32_t lane = 0; lane < KERNEL_LANES; lane++) {
        scratch->sums[lane] = carve(carving, AREA_PLACES, sizeof(uint16_t));
        scratch->tops[lane] = carve(carving, AREA_BLOCKS, sizeof(uint16_t));
    }
    scratch->bounds = carve(carving, AREA_BLOCKS, sizeof(uint16_t));
    scratch->late = carve(carving, AREA_PLACES, sizeof(uint16_t));
    scratch->picked = carve(carving, AREA_BLOCKS, sizeof(uint16_t));
    scratch->points = carve(carving, SCAN_TERMS_MAX, sizeof(uint16_t));
    scratch->present = carve(carving, (size_t)AREA_GROUPS * SCAN_TERMS_MAX, sizeof(uint64_t));
    scratch->words = carve(carving, (size_t)AREA_GROUPS * SCAN_TERMS_MAX, sizeof(uint64_t *));
    scratch->groups = carve(carving, SCAN_TERMS_MAX, sizeof(struct base_group *));
    scratch->fetched = carve(carving, SCAN_TERMS_MAX, sizeof(uint64_t));
    scratch->sparse = carve(carving, SCAN_TERMS_MAX, sizeof(struct sparse));
    scratch->needed_blocks =
        carve(carving, (size_t)SCAN_REQUIRED_MAX * AREA_BLOCKS, sizeof(uint64_t));
    scratch->allowed = carve(carving, AREA_BLOCKS, sizeof(uint64_t));
    scratch->order =
        carve(carving, BASE_PLACES_MAX / AREA_PLACES + DOCUMENT_REGIONS_MAX, sizeof(uint64_t));
}

struct status
scan_scratch_create(struct scan_scratch **ret)
{
    struct scan_scratch *scratch = calloc(1, sizeof *scratch);
    struct carving carving = {0};

    TRY(need(scratch));
    carve_all(scratch, &carving);
    if (!bulk_create(&scratch->bulk, carving.used, 1)) {
        free(scratch);
        return need(NULL);
    }
    carving = (struct carving){.memory = scratch->bulk.memory};
    carve_all(scratch, &carving);
    *ret = scratch;
    return OK;
}

static uint64_t
plane(const struct unit *unit, uint32_t block, uint64_t classes)
{
    uint64_t who = 0;

    if (unit->base) {
        const uint64_t *planes = &unit->base->planes[(size_t)block * unit->base->class_count];

        for (; classes; classes &= classes - 1)
            who |= planes[__builtin_ctzll(classes)];
        return who;
    }
    for (; classes; classes &= classes - 1)
        who |= atomic_load_explicit(&unit->tail->planes[block * unit->tail->class_count +
                                                        (uint32_t)__builtin_ctzll(classes)],
                                    memory_order_relaxed);
    return who;
}

uint64_t
kernel_filter(const struct area_job *job, uint32_t block)
{
    struct scan_scratch *scratch = job->scan;
    const struct scan_query *query = scratch->query;
    const uint32_t at = scratch->first_block + block;
    uint64_t who = unit_live(scratch->unit, at);

    scratch->counts.blocks_seen++;
    if (scratch->strict)
        who &= scratch->allowed[block];
    for (size_t i = 0; i < query->any_count && who; i++)
        who &= plane(scratch->unit, at, query->any_of[i]);
    return who;
}

void
kernel_take(struct area_job *job, uint32_t block, uint64_t who, const uint16_t points[64],
            const uint16_t terms[64])
{
    struct scan_scratch *scratch = job->scan;
    const struct unit *unit = scratch->unit;
    const struct scan_query *query = scratch->query;
    struct scan_sink *sink = scratch->sink;
    const uint16_t *from = unit->base ? unit->base->from : unit->tail->from;
    const uint16_t *until = unit->base ? unit->base->until : unit->tail->until;

    for (; who; who &= who - 1) {
        const uint32_t bit = (uint32_t)__builtin_ctzll(who);
        const struct scan_hit hit = {
            {unit, (scratch->first_block + block) * 64 + bit}, points[bit], terms[bit]};

        if (hit.points < sink->least || from[hit.place.number] > query->latest_from ||
            until[hit.place.number] < query->earliest_until)
            continue;
        if (unit->tail &&
            (unit->tail->regions[hit.place.number] >= query->region_count ||
             query->region_points[unit->tail->regions[hit.place.number]] == SCAN_CLOSED))
            continue;
        sink->keep(sink, &hit);
    }
    job->least = sink->least;
    job->full = sink->full;
}

void
scan_keep_blocks(struct scan_scratch *scratch, uint32_t block_count)
{
    struct area_job *job = &scratch->job;

    job->block_count = block_count;
    job->group_count = (block_count + 63) / 64;
    for (uint32_t group = 0; group < job->group_count; group++)
        scratch->keep[group] = ~UINT64_C(0);
    if (block_count % 64)
        scratch->keep[job->group_count - 1] = (UINT64_C(1) << (block_count % 64)) - 1;
}

static struct status
check(const struct scan_query *query)
{
    if (query->term_count > SCAN_TERMS_MAX || query->required_count > SCAN_REQUIRED_MAX ||
        query->any_count > SCAN_ANY_MAX)
        return FAIL(NULL, INVALID_ARGUMENT, "a query has at most %u terms, %u required",
                    SCAN_TERMS_MAX, SCAN_REQUIRED_MAX);
    for (size_t i = 0; i < query->term_count; i++)
        if (query->terms[i].lane >= KERNEL_LANES ||
            (i > 0 && query->terms[i].lane < query->terms[i - 1].lane))
            return FAIL(NULL, INVALID_ARGUMENT, "the terms of a query stand by lane");
    return OK;
}

static void
prepare(struct scan_scratch *scratch, const struct scan_query *query, struct scan_sink *sink)
{
    struct area_job *job = &scratch->job;

    scratch->query = query;
    scratch->sink = sink;
    scratch->strict = query->required_count > 0;
    *job = (struct area_job){.lane_count = 1,
                             .bounds = scratch->bounds,
                             .present = scratch->present,
                             .words = scratch->words,
                             .points = scratch->points,
                             .fetched = scratch->fetched,
                             .picked = scratch->picked,
                             .keep = scratch->keep,
                             .grade_points = query->grade_points,
                             .least_terms = query->least_terms,
                             .wanted = sink->wanted,
                             .full = sink->full,
                             .least = sink->least,
                             .scan = scratch};
    if (query->term_count > 0)
        job->lane_count = query->terms[query->term_count - 1].lane + 1u;
    for (uint32_t lane = 0; lane < KERNEL_LANES; lane++) {
        job->sums[lane] = scratch->sums[lane];
        job->tops[lane] = scratch->tops[lane];
    }
    for (uint32_t i = 0; i < DOCUMENT_GRADES; i++)
        if (query->grade_points[i] > job->grade_most)
            job->grade_most = query->grade_points[i];
}

struct status
scan_run(const struct version *version, const struct scan_query *query,
         struct scan_scratch *scratch, struct scan_sink *sink)
{
    struct scan_query own = *query;

    TRY(check(query));
    if (!own.kernel)
        own.kernel = kernel_best();
    prepare(scratch, &own, sink);
    for (uint32_t i = 0; i < version->unit_count; i++) {
        scratch->unit = &version->units[i];
        if (scratch->unit->base)
            scan_base(scratch);
        else
            scan_tail(scratch);
    }
    return OK;
}

static bool
has(const struct document *document, uint32_t term)
{
    uint32_t low = 0;
    uint32_t high = document->term_count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (document->terms[middle] < term)
            low = middle + 1;
        else
            high = middle;
    }
    return low < document->term_count && document->terms[low] == term;
}

static bool
passes(const struct scan_query *query, const struct document *document)
{
    if (document->region >= query->region_count ||
        query->region_points[document->region] == SCAN_CLOSED ||
        document->from > query->latest_from || document->until < query->earliest_until)
        return false;
    for (size_t i = 0; i < query->any_count; i++)
        if (!(document->classes & query->any_of[i]))
            return false;
    for (size_t i = 0; i < query->required_count; i++)
        if (!has(document, query->required[i]))
            return false;
    return true;
}

bool
scan_points(const struct scan_query *query, const struct document *document, uint16_t *ret)
{
    uint64_t sums[KERNEL_LANES] = {0};
    uint64_t best = 0;

    if (!passes(query, document))
        return false;
    for (size_t i = 0; i < query->term_count; i++)
        if (has(document, query->terms[i].term))
            sums[query->terms[i].lane] += query->terms[i].points;
    for (uint32_t lane = KERNEL_FIRST_LANES; lane < KERNEL_ADDED_LANE; lane++)
        best = sums[lane] > best ? sums[lane] : best;
    best += sums[0] > sums[1] ? sums[0] : sums[1];
    if (best < query->least_terms)
        return false;
    best += sums[KERNEL_ADDED_LANE];
    best +=
        (uint64_t)query->region_points[document->region] + query->grade_points[document->grade];
    *ret = (uint16_t)(best < SCAN_POINTS_MAX ? best : SCAN_POINTS_MAX);
    return true;
}
