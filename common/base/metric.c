#include "common/base/metric.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 14

/* Upper bounds in seconds; the last bucket, +Inf, is the count. */
static const double bounds[BUCKETS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                       0.1,    0.25,  0.5,    1,     2.5,  5,     10};

struct metric_series {
    struct metric_series *next; /* in the slot; fixed before the series is published */
    const char *a, *b;          /* label values, in the same block of memory */
    _Atomic uint64_t value;     /* COUNTER; HISTOGRAM: observations */
    _Atomic uint64_t bits;      /* GAUGE: of a double; HISTOGRAM: sum in ns */
    _Atomic uint64_t buckets[]; /* HISTOGRAM: observations per bucket, not cumulative */
};

/* Guards the list and the making of series; counting in a series that exists takes no lock. */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static struct metric *listed_first;
static struct metric **listed_end = &listed_first;

static unsigned
slot_of(const char *a, const char *b)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *a; a++)
        hash = (hash ^ (uint8_t)*a) * 16777619u;
    hash = (hash ^ 0xFFu) * 16777619u;
    for (; *b; b++)
        hash = (hash ^ (uint8_t)*b) * 16777619u;
    return (hash ^ hash >> 16) % METRIC_SLOTS;
}

static struct metric_series *
series_find(struct metric *metric, unsigned slot, const char *a, const char *b)
{
    struct metric_series *series =
        atomic_load_explicit(&metric->slots[slot], memory_order_acquire);

    while (series && (strcmp(series->a, a) || strcmp(series->b, b)))
        series = series->next;
    return series;
}

static struct metric_series *
series_create(struct metric *metric, unsigned slot, const char *a, const char *b)
{
    const size_t buckets = metric->kind == METRIC_HISTOGRAM ? BUCKETS : 0;
    const size_t head = sizeof(struct metric_series) + buckets * sizeof(_Atomic uint64_t);
    const size_t size_a = strlen(a) + 1, size_b = strlen(b) + 1;
    struct metric_series *series = calloc(1, head + size_a + size_b);
    char *texts;

    if (!series)
        return NULL;
    texts = (char *)series + head;
    series->a = memcpy(texts, a, size_a);
    series->b = memcpy(texts + size_a, b, size_b);
    series->next = atomic_load_explicit(&metric->slots[slot], memory_order_relaxed);
    atomic_store_explicit(&metric->slots[slot], series, memory_order_release);
    metric->series_count++;
    return series;
}

/* With the lock held.  A metric that has too many series counts the rest under "other". */
static struct metric_series *
series_make(struct metric *metric, unsigned slot, const char *a, const char *b)
{
    struct metric_series *series;

    if (!metric->listed) {
        metric->listed = true;
        *listed_end = metric;
        listed_end = &metric->next;
    }
    series = series_find(metric, slot, a, b);
    if (series)
        return series;
    if (metric->series_count >= METRIC_SERIES_MAX) {
        a = metric->label_a ? "other" : "";
        b = metric->label_b ? "other" : "";
        slot = slot_of(a, b);
        series = series_find(metric, slot, a, b);
    }
    return series ? series : series_create(metric, slot, a, b);
}

/* NULL only when there is no memory: then nothing is counted. */
static struct metric_series *
series_get(struct metric *metric, const char *a, const char *b)
{
    struct metric_series *series;
    unsigned slot;

    a = a && metric->label_a ? a : "";
    b = b && metric->label_b ? b : "";
    slot = slot_of(a, b);
    series = series_find(metric, slot, a, b);
    if (series)
        return series;
    (void)pthread_mutex_lock(&making); /* cannot fail: a plain mutex, never held twice */
    series = series_make(metric, slot, a, b);
    (void)pthread_mutex_unlock(&making);
    return series;
}

static uint64_t
bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double
double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

void
metric_add(struct metric *metric, const char *a, const char *b, uint64_t value)
{
    struct metric_series *series = series_get(metric, a, b);
    uint64_t bits;

    if (!series)
        return;
    if (metric->kind == METRIC_COUNTER) {
        atomic_fetch_add_explicit(&series->value, value, memory_order_relaxed);
        return;
    }
    bits = atomic_load_explicit(&series->bits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&series->bits, &bits,
                                                  bits_of(double_of(bits) + (double)value),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

void
metric_set(struct metric *metric, const char *a, const char *b, double value)
{
    struct metric_series *series = series_get(metric, a, b);

    if (series)
        atomic_store_explicit(&series->bits, bits_of(value), memory_order_relaxed);
}

void
metric_observe_seconds(struct metric *metric, const char *a, const char *b, double seconds)
{
    struct metric_series *series = series_get(metric, a, b);
    size_t bucket = 0;

    if (!series)
        return;
    if (!(seconds > 0)) /* also what is not a number */
        seconds = 0;
    if (seconds > 1e9)
        seconds = 1e9;
    while (bucket < BUCKETS && seconds > bounds[bucket])
        bucket++;
    if (bucket < BUCKETS)
        atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&series->bits, (uint64_t)(seconds * 1e9), memory_order_relaxed);
    atomic_fetch_add_explicit(&series->value, 1, memory_order_relaxed);
}

/* `quoted`: a label value; otherwise a help text. */
static void
put_escaped(struct buffer *into, const char *text, bool quoted)
{
    for (; *text; text++) {
        if (*text == '\n')
            buffer_puts(into, "\\n");
        else if (*text == '\\' || (quoted && *text == '"'))
            buffer_printf(into, "\\%c", *text);
        else
            buffer_putc(into, *text);
    }
}

static void
put_name(struct buffer *into, const char *service, const struct metric *metric)
{
    buffer_puts(into, "samverka_");
    for (; *service; service++)
        buffer_putc(into, *service == '-' ? '_' : *service);
    buffer_printf(into, "_%s", metric->name);
}

static void
put_label(struct buffer *into, char *separator, const char *name, const char *value)
{
    buffer_printf(into, "%c%s=\"", *separator, name);
    put_escaped(into, value, true);
    buffer_putc(into, '"');
    *separator = ',';
}

/* One sample's name and labels: `le` is the upper bound of a bucket, or NULL. */
static void
put_sample(struct buffer *into, const char *service, const struct metric *metric,
           const struct metric_series *series, const char *suffix, const char *le)
{
    char separator = '{';

    put_name(into, service, metric);
    buffer_puts(into, suffix);
    if (metric->label_a)
        put_label(into, &separator, metric->label_a, series->a);
    if (metric->label_b)
        put_label(into, &separator, metric->label_b, series->b);
    if (le)
        put_label(into, &separator, "le", le);
    if (separator == ',')
        buffer_putc(into, '}');
    buffer_putc(into, ' ');
}

static void
put_histogram(struct buffer *into, const char *service, const struct metric *metric,
              struct metric_series *series)
{
    const uint64_t sum_ns = atomic_load_explicit(&series->bits, memory_order_relaxed);
    const uint64_t count = atomic_load_explicit(&series->value, memory_order_relaxed);
    uint64_t below = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        char le[32];

        /* A bucket counted after `count` was read must not make the curve fall. */
        below += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        below = below > count ? count : below;
        (void)snprintf(le, sizeof le, "%g", bounds[i]); /* a constant of the table above */
        put_sample(into, service, metric, series, "_bucket", le);
        buffer_printf(into, "%llu\n", (unsigned long long)below);
    }
    put_sample(into, service, metric, series, "_bucket", "+Inf");
    buffer_printf(into, "%llu\n", (unsigned long long)count);
    put_sample(into, service, metric, series, "_sum", NULL);
    buffer_printf(into, "%.9g\n", (double)sum_ns / 1e9);
    put_sample(into, service, metric, series, "_count", NULL);
    buffer_printf(into, "%llu\n", (unsigned long long)count);
}

static void
put_series(struct buffer *into, const char *service, const struct metric *metric,
           struct metric_series *series)
{
    if (metric->kind == METRIC_HISTOGRAM) {
        put_histogram(into, service, metric, series);
        return;
    }
    put_sample(into, service, metric, series, "", NULL);
    if (metric->kind == METRIC_COUNTER)
        buffer_printf(
            into, "%llu\n",
            (unsigned long long)atomic_load_explicit(&series->value, memory_order_relaxed));
    else
        buffer_printf(into, "%.17g\n",
                      double_of(atomic_load_explicit(&series->bits, memory_order_relaxed)));
}

void
metric_render(const char *service, struct buffer *into)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};

    (void)pthread_mutex_lock(&making); /* as above */
    for (struct metric *metric = listed_first; metric; metric = metric->next) {
        buffer_puts(into, "# HELP ");
        put_name(into, service, metric);
        buffer_putc(into, ' ');
        put_escaped(into, metric->help, false);
        buffer_puts(into, "\n# TYPE ");
        put_name(into, service, metric);
        buffer_printf(into, " %s\n", kinds[metric->kind]);
        for (size_t slot = 0; slot < METRIC_SLOTS; slot++) {
            struct metric_series *series =
                atomic_load_explicit(&metric->slots[slot], memory_order_acquire);

            for (; series; series = series->next)
                put_series(into, service, metric, series);
        }
    }
    (void)pthread_mutex_unlock(&making);
}
