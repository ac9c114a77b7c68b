#pragma once

/* What the stream does with what comes in: keeps the follows, sends what they may get, ends
 * those that may not go on.  One thread; every send is without waiting. */

#include "services/events/appends.h"
#include "services/events/follower.h"

struct delivery_config {
    void *socket; /* the ROUTER */
    const struct clock *clock;
    struct zap *zap; /* NULL without CURVE: then everybody sees everything */
    size_t tail_bytes, replay_bytes;
    size_t followers_limit;
    uint32_t slow_ms;
    struct limits limits; /* of a system without limits of its own */
    /* See appends.h. */
    struct status (*post)(void *context, struct append_job *job, struct arena *arena);
    void *context;
};

struct delivery {
    struct delivery_config config;
    struct reader *reader; /* set before the first frame */
    struct tail tail;
    struct followers followers;
    struct quotas *quotas;
    struct appends appends;
    struct rights_table *rights; /* NULL: not read yet */
    struct arena arena;          /* of one client frame */
    uint8_t *scratch;
    uint64_t serial;
    size_t pages, pages_limit;
    size_t first_bucket; /* where the next pass begins, so that all get pages in turn */
    struct mono second;  /* begin of the present second, for the limits below */
    unsigned refusals_logged;
};

#define DELIVERY_TICK_MS 100
#define DELIVERY_HEARTBEAT_MS 1000

must_use struct status delivery_init(struct delivery *delivery,
                                     const struct delivery_config *config, struct arena *arena);
void delivery_fini(struct delivery *delivery);

/* A message of a peer. */
struct delivery_message {
    const struct routing *routing;
    const char *user_id; /* by which its key is known; "": not, or no longer */
    unsigned parts;      /* how many frames it has */
    struct bytes frame;  /* the first */
    zmq_msg_t *batch;    /* the second; empty where there is none */
};
void delivery_take(struct delivery *delivery, const struct delivery_message *message);
void delivery_take_page(struct delivery *delivery, struct reader_item *page);
void delivery_take_rights(struct delivery *delivery, struct rights_table *table); /* takes it */

/* Sends what can be sent, a bounded number of batches.  Gives the ms until it is worth doing
 * again without news: 0 when there is more, DELIVERY_TICK_MS when there is not. */
int delivery_pump(struct delivery *delivery);
/* Every DELIVERY_TICK_MS: heartbeats, slow ones, rights that have run out. */
void delivery_tick(struct delivery *delivery);
/* The last frame to all. */
void delivery_end_all(struct delivery *delivery);

/* Shared by delivery.c (who follows, and until when) and pump.c (what is sent). */
static inline struct mono
delivery_now(const struct delivery *delivery)
{
    return clock_mono(delivery->config.clock);
}

static inline bool
delivery_passed(struct mono since, int64_t ms, struct mono now)
{
    return mono_left_ms(mono_add_ms(since, ms), now) == 0;
}

void delivery_ask_page(struct delivery *delivery, struct follower *follower, uint64_t after);
/* Tells of events that did not pass, or just that all is well, when it is time. */
void delivery_keep_alive(struct delivery *delivery, struct follower *follower, struct mono now);
