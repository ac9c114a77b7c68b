#include "common/base/metric.h"
#include "services/events/consumers.h"
#include "services/events/post.h"

#define BATCHES_A_PASS 8 /* for one follower, before the next has its turn */
#define RETRY_MS 5       /* libzmq does not tell when one peer of many has room again */
#define SILENT_MS 100    /* events that did not pass are told of after at most this */

static struct metric sent_total =
    METRIC("events_sent_total", METRIC_COUNTER, "events sent to followers", NULL, NULL);

/* After a send.  False: nothing more can be sent to it now. */
static bool
note_sent(struct delivery *delivery, struct follower *follower, enum post outcome)
{
    const struct mono now = delivery_now(delivery);

    if (outcome == POST_SENT) {
        follower->sent_at = now;
        follower->blocked = false;
        return true;
    }
    if (outcome == POST_GONE) {
        /* Nobody is there to be told; the tick removes it. */
        follower_leave(follower, (struct mono){0});
        return false;
    }
    follower->retry_at = mono_add_ms(now, RETRY_MS);
    if (!follower->blocked) {
        follower->blocked = true;
        follower->blocked_since = now;
    }
    return false;
}

/* Events a second that its key may be sent; 0: no limit. */
static uint32_t
rate_of(const struct delivery *delivery, const struct follower *follower)
{
    const struct rights *rights = &follower->sieve->rights;

    return quota_limit(rights, rights->limits.events_per_second,
                       delivery->config.limits.events_per_second);
}

static bool
send_batch(struct delivery *delivery, struct follower *follower, const struct batch *batch)
{
    uint8_t head[FRAME_BYTES];
    const bool counts = follower->member && batch->count; /* has to be acknowledged */
    const size_t size = frame_put_batch(
        &(struct frame_batch){.after = follower->sent,
                              .through = batch->through,
                              .head = delivery->tail.last,
                              .delivery = counts ? follower->member->last + 1 : 0,
                              .count = batch->count},
        head);
    const struct bytes first = {head, size};
    enum post outcome;

    if (batch->whole)
        outcome = post_block(delivery->config.socket, &follower->routing, first, batch->whole);
    else
        outcome = post_copy(delivery->config.socket, &follower->routing, first,
                            (struct bytes){delivery->scratch, batch->size});
    if (!note_sent(delivery, follower, outcome))
        return false;
    if (counts)
        (void)group_note_sent(follower->member, batch->through, follower->sent_at);
    follower->credit -= batch->count;
    follower->events += batch->count;
    follower->quota->sent.tokens -= rate_of(delivery, follower) ? batch->count : 0;
    follower->sent = follower->through = batch->through;
    metric_add(&sent_total, NULL, NULL, batch->count);
    return true;
}

static int
sooner(int a, int b)
{
    return a < b ? a : b;
}

/* How long its key's limit holds it back. */
static int
limit_ms(const struct delivery *delivery, const struct follower *follower)
{
    const uint32_t rate = rate_of(delivery, follower);

    if (!rate)
        return 0;
    bucket_fill(&follower->quota->sent, rate, delivery_now(delivery));
    return bucket_wait_ms(&follower->quota->sent, rate);
}

/* Gives the ms until there may be more to do for it. */
static int
pump_one(struct delivery *delivery, struct follower *follower)
{
    const int limited_ms = limit_ms(delivery, follower);

    if (limited_ms)
        return limited_ms;
    if (follower->member && !consumers_ready(follower))
        return DELIVERY_TICK_MS;
    if (follower->blocked) {
        const int left_ms = mono_left_ms(follower->retry_at, delivery_now(delivery));

        if (left_ms > 0)
            return left_ms;
    }
    for (unsigned i = 0; i < BATCHES_A_PASS && follower->credit; i++) {
        struct batch batch;
        uint64_t after;

        if (follower->member && !group_has_room(follower->member))
            return DELIVERY_TICK_MS;
        follower_gather(follower, &delivery->tail, delivery->scratch, &batch);
        if (batch.count) {
            if (!send_batch(delivery, follower, &batch))
                return follower->blocked ? RETRY_MS : DELIVERY_TICK_MS;
        } else if (batch.through != follower->through) {
            if (follower->sent == follower->through)
                follower->silent_since = delivery_now(delivery);
            follower->through = batch.through;
            if (follower->member)
                group_note_passed(follower->member, batch.through);
        }
        if (follower_wants_page(follower, &delivery->tail, &after))
            delivery_ask_page(delivery, follower, after);
        if (!batch.more)
            return DELIVERY_TICK_MS;
    }
    return follower->credit ? 0 : DELIVERY_TICK_MS;
}

static size_t
count_pages(const struct delivery *delivery)
{
    size_t pages = 0;

    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++)
        for (const struct follower *follower = delivery->followers.buckets[i]; follower;
             follower = follower->next)
            pages += follower_pages(follower);
    return pages;
}

int
delivery_pump(struct delivery *delivery)
{
    int due_ms = DELIVERY_TICK_MS;

    delivery->pages = count_pages(delivery);
    delivery->first_bucket = (delivery->first_bucket + 1) % FOLLOWERS_BUCKETS;
    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++) {
        const size_t bucket = (delivery->first_bucket + i) % FOLLOWERS_BUCKETS;

        for (struct follower *follower = delivery->followers.buckets[bucket]; follower;
             follower = follower->next)
            if (follower->state == FOLLOWER_FOLLOWS)
                due_ms = sooner(due_ms, pump_one(delivery, follower));
    }
    return due_ms;
}

/* Tells of events that did not pass, or just that all is well. */
void
delivery_keep_alive(struct delivery *delivery, struct follower *follower, struct mono now)
{
    uint8_t frame[FRAME_BYTES];
    size_t size;

    if (follower->through != follower->sent &&
        delivery_passed(follower->silent_since, SILENT_MS, now)) {
        const struct batch batch = {.through = follower->through};

        (void)send_batch(delivery, follower, &batch); /* full or gone: noted */
        return;
    }
    if (!delivery_passed(follower->sent_at, DELIVERY_HEARTBEAT_MS, now))
        return;
    size = frame_put_heartbeat(follower->sent, delivery->tail.last, frame);
    (void)note_sent(
        delivery, follower,
        post_frame(delivery->config.socket, &follower->routing, (struct bytes){frame, size}));
}
