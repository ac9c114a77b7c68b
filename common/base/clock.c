#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS 1000000
#define NS_PER_S 1000000000
#define FIRST_MS INT64_C(-62135596800000) /* 0001-01-01T00:00:00.000Z */
#define LAST_MS INT64_C(253402300799999)  /* 9999-12-31T23:59:59.999Z */

static struct mono
system_mono(void *context)
{
    struct timespec now;

    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock and address */
    return (struct mono){(int64_t)now.tv_sec * NS_PER_S + now.tv_nsec};
}

static struct wall
system_wall(void *context)
{
    struct timespec now;

    (void)context;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* as above */
    return (struct wall){(int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS};
}

const struct clock *
clock_system(void)
{
    static const struct clock clock = {system_mono, system_wall, NULL};

    return &clock;
}

struct mono
clock_mono(const struct clock *clock)
{
    return clock->mono(clock->context);
}

struct wall
clock_wall(const struct clock *clock)
{
    return clock->wall(clock->context);
}

struct mono
mono_add_ms(struct mono from, int64_t ms)
{
    int64_t ns;

    if (__builtin_mul_overflow(ms, NS_PER_MS, &ns) ||
        __builtin_add_overflow(from.ns, ns, &from.ns))
        from.ns = ms < 0 ? INT64_MIN : INT64_MAX;
    return from;
}

static int64_t
ns_between(struct mono from, struct mono to)
{
    int64_t ns;

    if (__builtin_sub_overflow(to.ns, from.ns, &ns))
        ns = to.ns < from.ns ? INT64_MIN : INT64_MAX;
    return ns;
}

int
mono_left_ms(struct mono deadline, struct mono now)
{
    const int64_t ns = ns_between(now, deadline);
    int64_t ms;

    if (ns <= 0)
        return 0;
    ms = ns / NS_PER_MS + (ns % NS_PER_MS != 0);
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

int64_t
mono_micros_between(struct mono from, struct mono to)
{
    return ns_between(from, to) / 1000;
}

void
wall_format(struct wall wall, char ret[WALL_TEXT_SIZE])
{
    int64_t ms = wall.unix_ms;
    int64_t fraction;
    struct tm tm;
    time_t seconds;
    char text[96]; /* as wide as the compiler fears the fields might be */

    if (ms < FIRST_MS)
        ms = FIRST_MS;
    if (ms > LAST_MS)
        ms = LAST_MS;
    fraction = (ms % 1000 + 1000) % 1000;
    seconds = (time_t)((ms - fraction) / 1000);
    (void)gmtime_r(&seconds, &tm); /* cannot fail within these bounds */
    (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
                   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)fraction);
    memcpy(ret, text, WALL_TEXT_SIZE - 1);
    ret[WALL_TEXT_SIZE - 1] = '\0';
}

static struct mono
test_mono(void *context)
{
    return ((const struct test_clock *)context)->mono;
}

static struct wall
test_wall(void *context)
{
    return ((const struct test_clock *)context)->wall;
}

struct clock
clock_test(struct test_clock *times)
{
    return (struct clock){test_mono, test_wall, times};
}

void
test_clock_advance_ms(struct test_clock *times, int64_t ms)
{
    times->mono = mono_add_ms(times->mono, ms);
    times->wall.unix_ms += ms;
}
