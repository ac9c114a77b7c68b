#pragma once

/* The latest events, ready to be sent, in memory of bounded size.
 *
 * The ring covers every position after ring_after up to ring_through: an event in that range
 * that is not here is one that nobody outside may see.  Loop thread; the events are made by the
 * feed.
 */

#include "common/base/clock.h"
#include "common/base/status.h"
#include "services/gateway/auth.h"

#define RING_EVENTS 65536
#define RING_LIVE_MS 3000

/* What filters look at; "" for none. */
struct event_traits {
    const char *type, *tenant_id, *audience;
    const char *subject, *programme, *nuts;
    const char *concepts; /* joined by commas */
};

/* An event as it goes out: one allocation. */
struct ring_event {
    uint64_t position;
    struct event_traits traits;
    const char *frame; /* "id: 7\ndata: {...}\n\n" */
    size_t frame_size;
    const char *json; /* inside the frame */
    size_t json_size;
    size_t cost_bytes;
};

/* Which events a reader wants, besides what it may see: of each kind that has terms, one must
 * fit. */
#define EVENT_TERMS_WANTED 32 /* of all kinds together */
enum event_term_kind {
    EVENT_TERM_TYPE,      /* beginning of the type */
    EVENT_TERM_SUBJECT,   /* the subject */
    EVENT_TERM_PROGRAMME, /* the programme's code */
    EVENT_TERM_NUTS,      /* beginning of the region */
    EVENT_TERM_CONCEPT,   /* one of the concepts */
    EVENT_TERM_KINDS,
};
struct event_term {
    enum event_term_kind kind;
    const char *text;
};
struct event_filter {
    char tenant_id[IDENTITY_ID_BYTES]; /* "" sees public events only */
    bool own_only;                     /* the tenant's, without those that others share */
    struct event_term terms[EVENT_TERMS_WANTED];
    size_t term_count;
};

/* Whether the terms let it through, whoever looks. */
bool event_wanted(const struct event_filter *filter, const struct event_traits *traits);
/* Own tenant's, public, or shared with the tenant; never internal ones. */
bool event_visible(const struct event_filter *filter, const struct event_traits *traits);

struct ring;

must_use struct status ring_create(size_t limit_bytes, struct arena *arena, struct ring **ret);
void ring_destroy(struct ring **ring);

/* Starts anew after a position: at the first contact with the log, or after a hole in it. */
void ring_restart(struct ring *ring, uint64_t after);
/* Takes over an event (made by malloc). */
void ring_add(struct ring *ring, struct ring_event *event);
void ring_advance(struct ring *ring, uint64_t through, uint64_t head, struct mono now);

uint64_t ring_after(const struct ring *ring);
uint64_t ring_through(const struct ring *ring);
uint64_t ring_head(const struct ring *ring);
/* Whether the log has been heard of in the last RING_LIVE_MS. */
bool ring_live(const struct ring *ring, struct mono now);

/* The first event with a greater position; NULL: none yet. */
const struct ring_event *ring_next(const struct ring *ring, uint64_t position);
