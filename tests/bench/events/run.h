#pragma once

/* What the publishers and followers of every system have in common: arguments, threads, the
 * pace, the result.
 *
 * A program takes its arguments as `name=value` and prints its result as lines of
 * "name<TAB>value".  Times are CLOCK_MONOTONIC in ns, so those of two processes compare.  Every
 * event has BENCH_EVENT_BYTES and carries the time when it was due. A program that meets
 * anything but success ends with the reason: a measurement of half a system is none.
 */

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tests/bench/bench.h"

#define BENCH_EVENT_BYTES 300
#define BENCH_PATIENCE_MS 30000 /* for any one answer */
#define BENCH_PATIENCE_NS (BENCH_PATIENCE_MS * UINT64_C(1000000))
#define BENCH_PUBLISHERS_MAX 64
#define BENCH_FOLLOWERS_MAX 64

struct bench_args {
    int count;
    char **texts;
};

/* `fallback` NULL: the argument must be there. */
const char *bench_text(const struct bench_args *args, const char *name, const char *fallback);
uint64_t bench_number(const struct bench_args *args, const char *name, uint64_t fallback);

void bench_print(const char *name, double value);
/* "PREFIX_mean_us", "PREFIX_p50_us", "PREFIX_p99_us", "PREFIX_max_us". */
void bench_print_samples(const char *prefix, const struct bench_samples *samples);
/* CPU of this process so far, in microseconds. */
double bench_cpu_us(void);

/* Publishers.  Each is a thread of its own with a connection of its own. */
struct bench_load {
    struct bench_args args;
    unsigned publishers;
    uint64_t window; /* events of one publisher that may wait for their acknowledgement */
    uint64_t rate;   /* of one publisher, events/s; 0: as fast as the window lets it */
    uint64_t events; /* of one publisher; 0: until the time is over */
    uint64_t begun_ns, stop_ns, run;
    sem_t connected;
    pthread_barrier_t start;
};

struct bench_publisher {
    struct bench_load *load;
    unsigned number; /* from 0 */
    uint64_t sent, acknowledged;
    struct bench_samples samples; /* from when an event was due to its acknowledgement */
    struct bench_samples others;  /* of a second kind; printed as other_* when there are any */
    int timer_fd;
    pthread_t thread;
};

/* Reads publishers=, window=, rate=, events=, seconds= and runs `publish` in so many threads.
 * Prints begun_ns, ended_ns, sent, ack_* and cpu_us. */
void bench_publish(struct bench_args args, void (*publish)(struct bench_publisher *));
/* Called by each once it is connected; returns when all are. */
void bench_connected(struct bench_publisher *publisher);
/* Whether there is one more to send. */
bool bench_goes_on(const struct bench_publisher *publisher);
/* Waits until the next event is due; gives the time. */
uint64_t bench_await_due(struct bench_publisher *publisher);
/* An event that was due then has been acknowledged. */
void bench_acknowledged(struct bench_publisher *publisher, uint64_t due_ns);

/* Followers.  Each is a thread, which may serve several connections. */
struct bench_crowd {
    struct bench_args args;
    unsigned threads;
    uint64_t begun_ns;
    atomic_uint_fast64_t total; /* that each connection must get; UINT64_MAX: not known */
    sem_t ready;
};

struct bench_follower {
    struct bench_crowd *crowd;
    unsigned number;              /* from 0 */
    uint64_t received;            /* of its connection that has the fewest */
    uint64_t last_ns;             /* when it came to `received` */
    uint64_t first_ns;            /* of its first event */
    struct bench_samples samples; /* from when an event was due to its receipt */
    pthread_t thread;
};

/* Reads threads= and total= and runs `follow` in so many threads.  Prints "ready" when all are,
 * reads the total from standard input unless it was an argument, and prints begun_ns, received,
 * first_ns, last_ns, latency_* and cpu_us. */
void bench_follow(struct bench_args args, void (*follow)(struct bench_follower *));
void bench_ready(struct bench_follower *follower);
bool bench_has_all(const struct bench_follower *follower);
/* One more event of a follower with one connection. */
void bench_received(struct bench_follower *follower, uint64_t due_ns);
