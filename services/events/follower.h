#pragma once

/* One follow: where it stands, what it may get, and which bytes come next.  Knows no socket:
 * the stream sends.  All on the stream's thread. */

#include "services/events/frames.h"
#include "services/events/quotas.h"
#include "services/events/reader.h"
#include "services/events/tail.h"

enum follower_state {
    FOLLOWER_NEW,
    FOLLOWER_FOLLOWS,
    FOLLOWER_ENDED, /* remembered for a while, so that credit under way is not taken amiss */
};

struct follower {
    struct follower *next; /* in its bucket */
    struct routing routing;
    char user_id[64];
    enum follower_state state;
    uint64_t serial;     /* a second Follow of the peer gets another */
    struct quota *quota; /* of its key, while it follows */
    struct sieve *sieve;
    uint64_t sent;    /* `through` of the last frame */
    uint64_t through; /* looked at; ahead of `sent` while nothing passed the sieve */
    uint32_t credit;
    struct block *page, *next_page; /* lists, while behind the tail */
    bool asked;                     /* a page is under way */
    struct mono retry_page_at;      /* no page is asked for before */
    struct mono sent_at;            /* of the last frame */
    struct mono silent_since;       /* when `through` went ahead of `sent` */
    struct mono blocked_since;      /* since when its pipe has had no room */
    struct mono retry_at;           /* blocked: when sending is tried again */
    bool blocked;
    /* ended */
    struct mono ended_at;
    uint8_t farewell[FRAME_BYTES];
    size_t farewell_size; /* 0: it has been sent */
};

/* What can be sent now: a whole block as it stands, or a copy of what passes. */
struct batch {
    uint64_t through;
    uint32_t count;
    struct block *whole; /* not held */
    size_t size;         /* in the scratch buffer, without `whole` */
    bool more;           /* there may be more at once */
};

#define BATCH_BYTES BLOCK_BYTES
#define BATCH_SCRATCH_BYTES (BATCH_BYTES + PACKED_EVENT_BYTES + 512)

/* Whether the tail has what comes next, or nothing comes next. */
bool follower_is_live(const struct follower *follower, const struct tail *tail);

/* Walks on from `through` as far as credit, one batch and what is at hand allow. */
void follower_gather(struct follower *follower, const struct tail *tail, uint8_t *scratch,
                     struct batch *ret);

/* Takes the page's blocks, if they are what it waits for; otherwise they go. */
void follower_take_page(struct follower *follower, struct reader_item *page);
void follower_drop_pages(struct follower *follower);
/* It follows from now on, counted by its key's quota; or no longer, and lets go of all that it
 * holds. */
void follower_enter(struct follower *follower, struct quota *quota);
void follower_leave(struct follower *follower, struct mono now);
/* Where the page to be asked for next begins; false: none is needed. */
bool follower_wants_page(const struct follower *follower, const struct tail *tail,
                         uint64_t *ret_after);
/* Pages it holds or waits for. */
size_t follower_pages(const struct follower *follower);

struct follower *follower_create(const struct routing *routing, const char *user_id);
void follower_destroy(struct follower **follower);

/* All follows, by routing id. */
#define FOLLOWERS_BUCKETS 4096
struct followers {
    struct follower *buckets[FOLLOWERS_BUCKETS];
    size_t count;
};
struct follower *followers_find(const struct followers *followers,
                                const struct routing *routing);
void followers_add(struct followers *followers, struct follower *follower);
/* Unhooks and destroys the one that *link points to. */
void followers_remove(struct followers *followers, struct follower **link);
