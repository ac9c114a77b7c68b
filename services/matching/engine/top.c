#include "services/matching/engine/top.h"

/* Whether a stands before b. */
static inline bool
better(const struct top_hit *a, const struct top_hit *b)
{
    return a->points != b->points ? a->points > b->points : a->id < b->id;
}

/* The worst is on top of the heap. */
static void
sift_down(struct top *top, struct top_hit hit)
{
    uint32_t at = 0;

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= top->count)
            break;
        if (child + 1 < top->count && better(&top->items[child], &top->items[child + 1]))
            child++;
        if (!better(&hit, &top->items[child]))
            break;
        top->items[at] = top->items[child];
        at = child;
    }
    top->items[at] = hit;
}

static void
sift_up(struct top *top, struct top_hit hit)
{
    uint32_t at = top->count++;

    while (at > 0 && better(&top->items[(at - 1) / 2], &hit)) {
        top->items[at] = top->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    top->items[at] = hit;
}

static void
keep(struct scan_sink *sink, const struct scan_hit *hit)
{
    struct top *top = sink->context;
    const struct top_hit made = {place_id(&hit->place), hit->place, hit->points};

    if (top->count < top->limit)
        sift_up(top, made);
    else if (better(&made, &top->items[0]))
        sift_down(top, made);
    if (top->count == top->limit) {
        sink->least = top->items[0].points;
        sink->full = true;
    }
}

static int
by_rank(const void *a, const void *b)
{
    return better(a, b) ? -1 : better(b, a) ? 1 : 0;
}

struct status
top_run(const struct version *version, const struct scan_query *query,
        struct scan_scratch *scratch, struct top *top)
{
    struct scan_sink sink = {.keep = keep, .context = top, .wanted = top->limit};

    if (top->limit == 0 || top->limit > TOP_MAX)
        return FAIL(NULL, INVALID_ARGUMENT, "the best 1..%u can be asked for", TOP_MAX);
    top->count = 0;
    TRY(scan_run(version, query, scratch, &sink));
    qsort(top->items, top->count, sizeof *top->items, by_rank);
    return OK;
}
