#pragma once

/* What every C measurement needs: the time, samples of latency, and one line of result. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/attr.h"

/* Latencies counted in buckets of 0.1 microseconds up to 1 ms and of 10 microseconds up to 10
 * s. */
#define BENCH_FINE 10000
#define BENCH_COARSE 1000000

struct bench_samples {
    uint64_t count, sum_ns;
    uint32_t fine[BENCH_FINE];
    uint32_t coarse[BENCH_COARSE];
};

static inline __attribute__((noreturn)) void
bench_die(const char *step, const char *detail)
{
    (void)fprintf(stderr, "%s: %s\n", step, detail);
    exit(1);
}

static inline uint64_t
bench_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void
bench_sample(struct bench_samples *samples, uint64_t ns)
{
    const uint64_t coarse = ns / 10000;

    samples->count++;
    samples->sum_ns += ns;
    if (ns < 1000000)
        samples->fine[ns / 100]++;
    else
        samples->coarse[coarse < BENCH_COARSE ? coarse : BENCH_COARSE - 1]++;
}

/* The value, in microseconds, that a share of the samples (0 to 1) stays at or below. */
static inline double
bench_quantile(const struct bench_samples *samples, double share)
{
    const double wanted = share * (double)samples->count;
    uint64_t seen = 0;

    for (size_t i = 0; i < BENCH_FINE; i++)
        if ((double)(seen += samples->fine[i]) >= wanted)
            return (double)i / 10;
    for (size_t i = 0; i < BENCH_COARSE; i++)
        if ((double)(seen += samples->coarse[i]) >= wanted)
            return (double)i * 10;
    return 0;
}

/* In microseconds. */
static inline double
bench_median(const struct bench_samples *samples)
{
    return bench_quantile(samples, 0.5);
}

/* "RATE<TAB>MEDIAN": per second, and in microseconds. */
static inline void
bench_report(const struct bench_samples *samples, uint64_t elapsed_ns)
{
    (void)printf("%.0f\t%.1f\n", (double)samples->count * 1e9 / (double)elapsed_ns,
                 bench_median(samples));
    (void)fflush(stdout);
}
