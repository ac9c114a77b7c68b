#pragma once

/* The control flow of a kernel.  Included by one file for each instruction set, after it has
 * defined `struct vec`, sixty-four numbers of 16 bits, and
 *
 *   vec_set(number)  vec_load(from)  vec_store(to, vec)
 *   vec_add(a, b)    saturating      vec_max(a, b)
 *   vec_add_where(a, bits, number)   adds to those whose bit is set, saturating
 *   vec_reach(a, least)              bits of those not below
 *   vec_grades(grades, table)        looks sixty-four bytes up
 */

static inline struct vec
add_dense(struct vec sum, const struct area_job *job, const struct dense_at *dense,
          uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        sum = vec_add_where(sum, dense[i].present, job->points[i]);
    return sum;
}

/* The most that a document of each block can have; returns the most of all. */
static inline uint16_t
find_bounds(struct area_job *job)
{
    const struct vec all = vec_add(vec_set(job->region_points), vec_set(job->grade_most));
    uint16_t most = 0;

    for (uint32_t group = 0; group < job->group_count; group++) {
        const struct dense_at *dense = &job->dense[(size_t)group * job->dense_count];
        uint16_t *bounds = &job->bounds[group * 64];
        struct vec sum = vec_add(all, vec_load(&job->tops[0][group * 64]));
        uint64_t keep = job->keep[group];

        sum = add_dense(sum, job, dense, 0, job->lane_ends[0]);
        if (job->lane_count > 1) {
            struct vec best = vec_set(0);

            for (uint32_t lane = 1; lane < job->lane_count; lane++)
                best =
                    vec_max(best, add_dense(vec_load(&job->tops[lane][group * 64]), job, dense,
                                            job->lane_ends[lane - 1], job->lane_ends[lane]));
            sum = vec_add(sum, best);
        }
        vec_store(bounds, sum);
        keep &= vec_reach(sum, most);
        for (; keep; keep &= keep - 1) {
            const uint16_t bound = bounds[__builtin_ctzll(keep)];

            most = bound > most ? bound : most;
        }
    }
    return most;
}

/* Finds where the words of some blocks are, and wants them into the cache. */
static inline void
fetch_block(const struct area_job *job, uint32_t block, const uint64_t **fetched)
{
    static const uint64_t nobody;
    const struct dense_at *dense = &job->dense[(size_t)(block / 64) * job->dense_count];
    const uint64_t bit = UINT64_C(1) << (block % 64);

    if (job->planes)
        __builtin_prefetch(&job->planes[(size_t)block * job->class_count]);
    __builtin_prefetch(&job->grades[block * 64]);
    for (uint32_t i = 0; i < job->dense_count; i++) {
        const uint64_t *word =
            dense[i].words + __builtin_popcountll(dense[i].present & (bit - 1));

        word = dense[i].present & bit ? word : &nobody;
        __builtin_prefetch(word);
        fetched[i] = word;
    }
}

static inline struct vec
add_words(struct vec sum, const struct area_job *job, const uint64_t *const *fetched,
          uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        sum = vec_add_where(sum, *fetched[i], job->points[i]);
    return sum;
}

static inline void
evaluate(struct area_job *job, uint32_t block, const uint64_t *const *fetched)
{
    uint64_t who = kernel_filter(job, block);
    struct vec sum;

    if (!who)
        return;
    sum = vec_add(vec_load(&job->sums[0][block * 64]), vec_set(job->region_points));
    sum = vec_add(sum, vec_grades(&job->grades[block * 64], job->grade_points));
    sum = add_words(sum, job, fetched, 0, job->lane_ends[0]);
    if (job->lane_count > 1) {
        struct vec best = vec_set(0);

        for (uint32_t lane = 1; lane < job->lane_count; lane++)
            best = vec_max(best, add_words(vec_load(&job->sums[lane][block * 64]), job, fetched,
                                           job->lane_ends[lane - 1], job->lane_ends[lane]));
        sum = vec_add(sum, best);
    }
    who &= vec_reach(sum, job->least);
    if (who) {
        _Alignas(64) uint16_t points[64];

        vec_store(points, sum);
        kernel_take(job, block, who, points);
    }
}

static inline void
evaluate_blocks(struct area_job *job, uint32_t group, uint64_t blocks)
{
    while (blocks) {
        uint32_t batch[KERNEL_BATCH];
        uint32_t count = 0;

        for (; blocks && count < KERNEL_BATCH; blocks &= blocks - 1) {
            batch[count] = group * 64 + (uint32_t)__builtin_ctzll(blocks);
            fetch_block(job, batch[count], &job->fetched[(size_t)count * job->dense_count]);
            count++;
        }
        for (uint32_t i = 0; i < count; i++)
            if (job->bounds[batch[i]] >= job->least)
                evaluate(job, batch[i], &job->fetched[(size_t)i * job->dense_count]);
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
    for (uint32_t group = 0; group < job->group_count; group++) {
        const struct vec bounds = vec_load(&job->bounds[group * 64]);

        evaluate_blocks(job, group,
                        job->keep[group] &
                            vec_reach(bounds, cut > job->least ? cut : job->least));
    }
    for (uint32_t group = 0; group < job->group_count; group++) {
        const struct vec bounds = vec_load(&job->bounds[group * 64]);

        if (cut > job->least)
            evaluate_blocks(job, group,
                            job->keep[group] & vec_reach(bounds, job->least) &
                                ~vec_reach(bounds, cut));
    }
}
