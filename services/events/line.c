#include "services/events/line.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct status
line_init(struct line *line, unsigned limit, struct arena *arena)
{
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0)
        return FAIL(arena, INTERNAL, "no descriptor for a line between threads");
    atomic_init(&line->newest, NULL);
    atomic_init(&line->waiting, 0);
    line->limit = limit;
    line->fd = fd;
    return OK;
}

void
line_fini(struct line *line)
{
    if (line->fd >= 0)
        (void)close(line->fd); /* an eventfd has nothing to lose */
    line->fd = -1;
}

void
line_wake(struct line *line)
{
    const uint64_t one = 1;

    /* Fails only when the counter is full: then it is readable already. */
    if (write(line->fd, &one, sizeof one) < 0)
        return;
}

bool
line_push(struct line *line, struct line_item *item)
{
    struct line_item *newest;

    if (atomic_fetch_add(&line->waiting, 1) >= line->limit) {
        atomic_fetch_sub(&line->waiting, 1);
        return false;
    }
    newest = atomic_load_explicit(&line->newest, memory_order_relaxed);
    do
        item->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&line->newest, &newest, item,
                                                  memory_order_release, memory_order_relaxed));
    /* Whoever finds the line empty wakes the taker; the others know it is awake. */
    if (!newest)
        line_wake(line);
    return true;
}

struct line_item *
line_take(struct line *line)
{
    struct line_item *item, *oldest = NULL;
    unsigned count = 0;
    uint64_t rung;

    /* The descriptor first: an item pushed after the exchange wakes again. */
    if (read(line->fd, &rung, sizeof rung) < 0)
        rung = 0; /* nobody rang */
    item = atomic_exchange_explicit(&line->newest, NULL, memory_order_acquire);
    while (item) {
        struct line_item *next = item->next;

        item->next = oldest;
        oldest = item;
        item = next;
        count++;
    }
    atomic_fetch_sub(&line->waiting, count);
    return oldest;
}
