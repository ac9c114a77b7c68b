#pragma once

/* The control flow of a kernel.  Included by one file for each instruction set, after it has
 * defined `struct vec`, sixty-four numbers of 16 bits, and
 *
 *   vec_set(number)  vec_load(from)  vec_store(to, vec)
 *   vec_add(a, b)    saturating      vec_max(a, b)
 *   vec_add_where(a, bits, number)   adds to those whose bit is set, saturating
 *   vec_reach(a, least)              bits of those not below
 *   vec_grades(grades, table)        looks sixty-four bytes up
 *   fetch_words(present, words, bit, stride, fetched)
 *                                    the words of a block, 0 for terms that nobody has there
 *   prefetch_words(present, words, bit, stride)      wants them into the cache
 */

static inline struct vec
add_where(struct vec sum, const struct area_job *job, const uint64_t *bits, uint32_t first,
          uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        sum = vec_add_where(sum, bits[i], job->points[i]);
    return sum;
}

/* The best of the lanes [first, end): what the sparse terms gave, and the dense ones. */
static inline struct vec
best_lane(const struct area_job *job, uint16_t *const *given, size_t at, const uint64_t *bits,
          uint32_t first, uint32_t end)
{
    struct vec best = add_where(vec_load(&given[first][at]), job, bits,
                                first ? job->lane_ends[first - 1] : 0, job->lane_ends[first]);

    for (uint32_t lane = first + 1; lane < end; lane++)
        best = vec_max(best, add_where(vec_load(&given[lane][at]), job, bits,
                                       job->lane_ends[lane - 1], job->lane_ends[lane]));
    return best;
}

/* All lanes but the one that is added. */
static inline struct vec
sum_lanes(const struct area_job *job, uint16_t *const *given, size_t at, const uint64_t *bits)
{
    const uint32_t count =
        job->lane_count < KERNEL_ADDED_LANE ? job->lane_count : KERNEL_ADDED_LANE;
    const uint32_t first = count < KERNEL_FIRST_LANES ? count : KERNEL_FIRST_LANES;
    const struct vec sum = best_lane(job, given, at, bits, 0, first);

    return count == first ? sum : vec_add(sum, best_lane(job, given, at, bits, first, count));
}

static inline struct vec
add_last(const struct area_job *job, uint16_t *const *given, size_t at, const uint64_t *bits,
         struct vec sum)
{
    if (job->lane_count < KERNEL_LANES)
        return sum;
    return vec_add(sum, best_lane(job, given, at, bits, KERNEL_ADDED_LANE, KERNEL_LANES));
}

/* The most that a document of each block can have; returns the most of all. */
static inline uint16_t
find_bounds(struct area_job *job)
{
    const struct vec all =
        vec_add(vec_add(vec_set(job->region_points), vec_set(job->grade_most)),
                vec_set(job->place_most));
    uint16_t most = 0;

    for (uint32_t group = 0; group < job->group_count; group++) {
        const uint64_t *present = &job->present[(size_t)group * job->stride];
        uint16_t *bounds = &job->bounds[group * 64];
        struct vec sum = sum_lanes(job, job->tops, (size_t)group * 64, present);
        uint64_t keep;

        keep = job->keep[group] &= vec_reach(sum, job->least_terms);
        sum = add_last(job, job->tops, (size_t)group * 64, present, vec_add(sum, all));
        vec_store(bounds, sum);
        keep &= vec_reach(sum, most);
        for (; keep; keep &= keep - 1) {
            const uint16_t bound = bounds[__builtin_ctzll(keep)];

            most = bound > most ? bound : most;
        }
    }
    return most;
}

/* Wants what evaluate will read into the cache. */
static inline void
prefetch_block(const struct area_job *job, uint32_t block)
{
    const size_t group = (size_t)(block / 64) * job->stride;

    if (job->planes)
        __builtin_prefetch(&job->planes[(size_t)block * job->class_count]);
    __builtin_prefetch(&job->grades[block * 64]);
    prefetch_words(&job->present[group], &job->words[group], UINT64_C(1) << (block % 64),
                   job->stride);
}

static inline void
evaluate(struct area_job *job, uint32_t block)
{
    const size_t group = (size_t)(block / 64) * job->stride;
    const uint64_t *fetched = job->fetched;
    uint64_t who = kernel_filter(job, block);
    struct vec sum, terms;

    if (!who)
        return;
    fetch_words(&job->present[group], &job->words[group], UINT64_C(1) << (block % 64),
                job->stride, job->fetched);
    terms = sum_lanes(job, job->sums, (size_t)block * 64, fetched);
    who &= vec_reach(terms, job->least_terms);
    sum = add_last(job, job->sums, (size_t)block * 64, fetched, terms);
    sum = vec_add(sum, vec_set(job->region_points));
    if (job->place_points)
        sum = vec_add(sum, vec_load(&job->place_points[block * 64]));
    /* To look grades up is dear beside seeing that they would not do. */
    who &= vec_reach(vec_add(sum, vec_set(job->grade_most)), job->least);
    if (!who)
        return;
    sum = vec_add(sum, vec_grades(&job->grades[block * 64], job->grade_points));
    who &= vec_reach(sum, job->least);
    if (who) {
        _Alignas(64) uint16_t points[64], points_of_terms[64];

        vec_store(points, sum);
        vec_store(points_of_terms, terms);
        kernel_take(job, block, who, points, points_of_terms);
    }
}

/* Those blocks whose bounds lie within [least, most]. */
static void
evaluate_blocks(struct area_job *job, uint16_t least, uint16_t most)
{
    uint32_t count = 0;

    for (uint32_t group = 0; group < job->group_count; group++) {
        const struct vec bounds = vec_load(&job->bounds[group * 64]);
        uint64_t blocks = job->keep[group] & vec_reach(bounds, least);

        if (most < UINT16_MAX)
            blocks &= ~vec_reach(bounds, (uint16_t)(most + 1));
        for (; blocks; blocks &= blocks - 1)
            job->picked[count++] = (uint16_t)(group * 64 + (uint32_t)__builtin_ctzll(blocks));
    }
    for (uint32_t i = 0; i < count && i < KERNEL_AHEAD; i++)
        prefetch_block(job, job->picked[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (i + KERNEL_AHEAD < count)
            prefetch_block(job, job->picked[i + KERNEL_AHEAD]);
        if (job->bounds[job->picked[i]] >= job->least)
            evaluate(job, job->picked[i]);
    }
}

#define BUCKET_SHIFT 6u
#define BUCKETS (65536u >> BUCKET_SHIFT)

/* A bound that few blocks reach, but enough for the first documents. */
static inline uint16_t
first_cut(const struct area_job *job, uint16_t most)
{
    const uint32_t enough = job->wanted / 4 + 4;
    uint16_t counts[BUCKETS] = {0};
    uint32_t bucket = most >> BUCKET_SHIFT;
    uint32_t seen = 0;

    for (uint32_t block = 0; block < job->block_count; block++)
        if (job->keep[block / 64] >> (block % 64) & 1)
            counts[job->bounds[block] >> BUCKET_SHIFT]++;
    while (bucket > 0) {
        seen += counts[bucket];
        if (seen >= enough)
            break;
        bucket--;
    }
    return (uint16_t)(bucket << BUCKET_SHIFT);
}

static void
search_area(struct area_job *job)
{
    const uint16_t most = find_bounds(job);
    uint16_t cut;

    if (most < job->least)
        return;
    cut = job->full ? (uint16_t)(job->least + (most - job->least) * 3u / 4u)
                    : first_cut(job, most);
    if (cut > job->least) {
        evaluate_blocks(job, cut, UINT16_MAX);
        evaluate_blocks(job, job->least, (uint16_t)(cut - 1));
    } else {
        evaluate_blocks(job, job->least, UINT16_MAX);
    }
}
