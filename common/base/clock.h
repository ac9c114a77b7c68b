#pragma once

/* Time as a value that is passed in, so that tests set it.
 *
 * Two types, so that deadlines (monotonic) and dates (wall) cannot be mixed up.
 */

#include <stdbool.h>
#include <stdint.h>

struct mono {
    int64_t ns; /* since an arbitrary start; never jumps */
};

struct wall {
    int64_t unix_ms; /* since 1970-01-01T00:00:00Z; may jump */
};

struct clock {
    struct mono (*mono)(void *context);
    struct wall (*wall)(void *context);
    void *context;
};

/* The machine's clocks.  Thread-safe, lives for ever. */
const struct clock *clock_system(void);

struct mono clock_mono(const struct clock *clock);
struct wall clock_wall(const struct clock *clock);

struct mono mono_add_ms(struct mono from, int64_t ms);
/* Milliseconds from `now` to `deadline`, rounded up; 0 when it has passed.  At most INT32_MAX.
 */
int mono_left_ms(struct mono deadline, struct mono now);
int64_t mono_micros_between(struct mono from, struct mono to);

/* "2026-11-22T05:59:35.123Z": 24 characters and a NUL. */
#define WALL_TEXT_SIZE 25
void wall_format(struct wall wall, char ret[WALL_TEXT_SIZE]);

/* A clock for tests: starts where it is set, moves only by hand.  Not thread-safe. */
struct test_clock {
    struct mono mono;
    struct wall wall;
};
struct clock clock_test(struct test_clock *times);
void test_clock_advance_ms(struct test_clock *times, int64_t ms);
