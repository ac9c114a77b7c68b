#pragma once

/* Counters, gauges and histograms in Prometheus text format 0.0.4.
 *
 * A metric is a static object; it enters the process-wide list at first use.  Names are
 * `samverka_<service>_<thing>_<unit>`, counters end in `_total`; the service part is added
 * here. Label values come from a bounded set (method, code, instance), never from users.
 * Thread-safe.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"

#define METRIC_SERIES_MAX 512 /* per metric; further label values are counted under "other" */
#define METRIC_SLOTS 64       /* a hash table of series: a count takes no lock and few steps */

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_series;

struct metric {
    const char *name; /* "rpc_requests_total" */
    const char *help;
    enum metric_kind kind;
    const char *label_a, *label_b; /* names; NULL: none */
    /* The rest belongs to metric.c. */
    _Atomic(struct metric_series *) slots[METRIC_SLOTS];
    unsigned series_count;
    struct metric *next;
    bool listed;
};

/* static struct metric calls = METRIC("rpc_requests_total", METRIC_COUNTER, "...", "method",
 * "code"); */
#define METRIC(metric_name, metric_kind_, metric_help, a, b)                                   \
    {                                                                                          \
        .name = (metric_name), .help = (metric_help), .kind = (metric_kind_), .label_a = (a),  \
        .label_b = (b)                                                                         \
    }

/* Counters and gauges. */
void metric_add(struct metric *metric, const char *a, const char *b, uint64_t value);
/* Gauges. */
void metric_set(struct metric *metric, const char *a, const char *b, double value);

/* Histogram of seconds: buckets 0.5 ms to 10 s. */
void metric_observe_seconds(struct metric *metric, const char *a, const char *b,
                            double seconds);

/* Everything listed so far, with `service` in the names. */
void metric_render(const char *service, struct buffer *into);
