#include "services/gateway/ring.h"

#include <stdlib.h>
#include <string.h>

struct ring {
    struct ring_event *events[RING_EVENTS];
    size_t first, count; /* of the events, oldest first */
    size_t bytes, limit_bytes;
    uint64_t after, through, head;
    struct mono heard;
    bool known; /* the log has been heard of at all */
};

/* Whether a comma-separated list holds the id. */
static bool
list_holds(const char *list, const char *id)
{
    const size_t size = strlen(id);

    while (size > 0 && *list) {
        const size_t item = strcspn(list, ", ");

        if (item == size && memcmp(list, id, size) == 0)
            return true;
        list += item;
        list += strspn(list, ", ");
    }
    return false;
}

static bool
term_fits(const struct event_term *term, const struct event_traits *traits)
{
    const size_t size = strlen(term->text);

    switch (term->kind) {
    case EVENT_TERM_TYPE:
        return strncmp(traits->type, term->text, size) == 0;
    case EVENT_TERM_SUBJECT:
        return strcmp(traits->subject, term->text) == 0;
    case EVENT_TERM_PROGRAMME:
        return strcmp(traits->programme, term->text) == 0;
    case EVENT_TERM_NUTS:
        return strncmp(traits->nuts, term->text, size) == 0;
    default:
        return list_holds(traits->concepts, term->text);
    }
}

bool
event_wanted(const struct event_filter *filter, const struct event_traits *traits)
{
    unsigned asked = 0, met = 0; /* kinds, as bits */

    for (size_t i = 0; i < filter->term_count; i++) {
        asked |= 1u << filter->terms[i].kind;
        if (term_fits(&filter->terms[i], traits))
            met |= 1u << filter->terms[i].kind;
    }
    return asked == met;
}

bool
event_visible(const struct event_filter *filter, const struct event_traits *traits)
{
    if (strcmp(traits->audience, "internal") == 0 || !event_wanted(filter, traits))
        return false;
    if (filter->own_only)
        return filter->tenant_id[0] != '\0' &&
               strcmp(filter->tenant_id, traits->tenant_id) == 0;
    if (strcmp(traits->audience, "public") == 0)
        return true;
    return filter->tenant_id[0] != '\0' && (strcmp(filter->tenant_id, traits->tenant_id) == 0 ||
                                            list_holds(traits->audience, filter->tenant_id));
}

struct status
ring_create(size_t limit_bytes, struct arena *arena, struct ring **ret)
{
    struct ring *ring = calloc(1, sizeof *ring);

    (void)arena;
    TRY(need(ring));
    ring->limit_bytes = limit_bytes;
    *ret = ring;
    return OK;
}

static struct ring_event *
at(const struct ring *ring, size_t index)
{
    return ring->events[(ring->first + index) % RING_EVENTS];
}

static void
drop_oldest(struct ring *ring)
{
    struct ring_event *event = at(ring, 0);

    ring->after = event->position;
    ring->bytes -= event->cost_bytes;
    ring->first = (ring->first + 1) % RING_EVENTS;
    ring->count--;
    free(event);
}

void
ring_destroy(struct ring **ring)
{
    if (!*ring)
        return;
    while ((*ring)->count > 0)
        drop_oldest(*ring);
    free(take(ring));
}

void
ring_restart(struct ring *ring, uint64_t after)
{
    while (ring->count > 0)
        drop_oldest(ring);
    ring->after = ring->through = after;
    if (ring->head < after)
        ring->head = after;
}

void
ring_add(struct ring *ring, struct ring_event *event)
{
    while (ring->count > 0 &&
           (ring->count == RING_EVENTS || ring->bytes + event->cost_bytes > ring->limit_bytes))
        drop_oldest(ring);
    ring->events[(ring->first + ring->count) % RING_EVENTS] = event;
    ring->count++;
    ring->bytes += event->cost_bytes;
}

void
ring_advance(struct ring *ring, uint64_t through, uint64_t head, struct mono now)
{
    if (through > ring->through)
        ring->through = through;
    ring->head = head;
    ring->heard = now;
    ring->known = true;
}

uint64_t
ring_after(const struct ring *ring)
{
    return ring->after;
}

uint64_t
ring_through(const struct ring *ring)
{
    return ring->through;
}

uint64_t
ring_head(const struct ring *ring)
{
    return ring->head;
}

bool
ring_live(const struct ring *ring, struct mono now)
{
    return ring->known && mono_left_ms(mono_add_ms(ring->heard, RING_LIVE_MS), now) > 0;
}

const struct ring_event *
ring_next(const struct ring *ring, uint64_t position)
{
    size_t low = 0, high = ring->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (at(ring, middle)->position > position)
            high = middle;
        else
            low = middle + 1;
    }
    return low < ring->count ? at(ring, low) : NULL;
}
