#include "services/events/delivery.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/metric.h"
#include "services/events/consumers.h"
#include "services/events/post.h"

#define RETRY_PAGE_MS 500
#define REMEMBER_MS 10000 /* how long an ended follow is remembered */
#define FRAME_ARENA_BYTES ((size_t)4 << 20)
#define REFUSALS_LOGGED 10 /* a second */

static struct metric followers_gauge =
    METRIC("followers", METRIC_GAUGE, "follows being served", NULL, NULL);
static struct metric ended_total =
    METRIC("follows_ended_total", METRIC_COUNTER, "follows refused or ended", "code", NULL);

struct status
delivery_init(struct delivery *delivery, const struct delivery_config *config,
              struct arena *arena)
{
    const struct appends_config appends = {.socket = config->socket,
                                           .clock = config->clock,
                                           .appends_per_second =
                                               config->limits.appends_per_second,
                                           .post = config->post,
                                           .context = config->context};

    *delivery = (struct delivery){.config = *config};
    arena_init(&delivery->arena, FRAME_ARENA_BYTES);
    delivery->pages_limit = config->replay_bytes / READER_PAGE_BYTES + 1;
    delivery->appends.outcomes.fd = -1;
    TRY(need(delivery->scratch = malloc(BATCH_SCRATCH_BYTES)));
    TRY(quotas_create(&delivery->quotas));
    TRY(appends_init(&delivery->appends, &appends, arena));
    return tail_init(&delivery->tail, config->tail_bytes);
}

void
delivery_fini(struct delivery *delivery)
{
    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++)
        while (delivery->followers.buckets[i])
            followers_remove(&delivery->followers, &delivery->followers.buckets[i]);
    metric_set(&followers_gauge, NULL, NULL, 0);
    consumers_fini(delivery);
    appends_fini(&delivery->appends);
    quotas_destroy(&delivery->quotas);
    tail_fini(&delivery->tail);
    rights_destroy(&delivery->rights);
    arena_fini(&delivery->arena);
    free(take(&delivery->scratch));
}

static void
note_refusal(struct delivery *delivery, const char *user_id, struct status why)
{
    const struct mono now = delivery_now(delivery);

    metric_add(&ended_total, code_name(why.code), NULL, 1);
    if (delivery_passed(delivery->second, 1000, now)) {
        if (delivery->refusals_logged > REFUSALS_LOGGED)
            log_warn("more follows ended than are told one by one",
                     KV("more", delivery->refusals_logged - REFUSALS_LOGGED));
        delivery->second = now;
        delivery->refusals_logged = 0;
    }
    if (why.code == CODE_OK || delivery->refusals_logged++ >= REFUSALS_LOGGED)
        return;
    log_warn("follow ended", KV("user_id", user_id), KV("code", code_name(why.code)),
             KV("field", why.field ? why.field : ""), KV("detail", why.detail));
}

/* A peer without a follow of its own is told once; nothing is kept of it. */
static void
refuse(struct delivery *delivery, const struct routing *routing, const char *user_id,
       struct status why)
{
    uint8_t frame[FRAME_BYTES];
    const size_t size = frame_put_ended(why, 0, 0, frame);

    note_refusal(delivery, user_id, why);
    /* Full or gone: it does not read what it is told. */
    (void)post_frame(delivery->config.socket, routing, (struct bytes){frame, size});
}

/* One whose pipe is full gets it when there is room. */
void
delivery_end(struct delivery *delivery, struct follower *follower, struct status why,
             uint64_t first_kept)
{
    note_refusal(delivery, follower->user_id, why);
    follower_leave(follower, delivery_now(delivery));
    follower->farewell_size =
        frame_put_ended(why, follower->sent, first_kept, follower->farewell);
    if (post_frame(delivery->config.socket, &follower->routing,
                   (struct bytes){follower->farewell, follower->farewell_size}) != POST_FULL)
        follower->farewell_size = 0;
}

static const struct rights *
rights_of(const struct delivery *delivery, const char *user_id)
{
    static const struct rights everything = {.all = true};

    if (!delivery->config.zap)
        return &everything;
    if (!zap_peer_known(delivery->config.zap, RIGHTS_DOMAIN, user_id))
        return NULL;
    return rights_find(delivery->rights, user_id, clock_wall(delivery->config.clock));
}

void
delivery_ask_page(struct delivery *delivery, struct follower *follower, uint64_t after)
{
    struct reader_item *item;

    if (delivery->pages >= delivery->pages_limit ||
        mono_left_ms(follower->retry_page_at, delivery_now(delivery)) > 0)
        return; /* the next pass tries again */
    item = calloc(1, sizeof *item);
    if (!item)
        return;
    item->routing = follower->routing;
    item->serial = follower->serial;
    item->after = after;
    item->sieve = rules_sieve_hold(follower->sieve);
    if (!reader_ask(delivery->reader, item)) {
        reader_item_destroy(&item);
        return;
    }
    follower->asked = true;
    delivery->pages++;
}

/* How many may follow with one key. */
static struct status
check_follows(struct delivery *delivery, const struct quota *quota, const struct rights *rights)
{
    const uint32_t most =
        quota_limit(rights, rights->limits.follows, delivery->config.limits.follows);

    if (most && quota->follows >= most)
        return FAIL(&delivery->arena, RESOURCE_EXHAUSTED,
                    "%u follows of this key are served here already", quota->follows);
    return OK;
}

/* A follow from here on; the peer's former one, if any, is replaced. */
static struct status
start(struct delivery *delivery, struct follower *follower, const Events__V1__Follow *follow)
{
    const struct rights *rights = rights_of(delivery, follower->user_id);
    struct quota *quota;
    struct sieve *sieve;

    if (!rights)
        return FAIL(&delivery->arena, PERMISSION_DENIED, "this key has no rights here");
    TRY(need(quota = quotas_get(delivery->quotas, follower->user_id, delivery_now(delivery))));
    if (follower->state != FOLLOWER_FOLLOWS)
        TRY(check_follows(delivery, quota, rights));
    if (!delivery->tail.known)
        return FAIL(&delivery->arena, UNAVAILABLE, "the log cannot be read now");
    TRY(rules_sieve_create(rights, follow->filter, &sieve));
    follower_leave(follower, delivery_now(delivery)); /* a former follow of the peer */
    follower->sieve = sieve;
    follower_enter(follower, quota);
    follower->serial = ++delivery->serial;
    follower->sent = follower->through = follow->after;
    follower->credit = follow->credit;
    follower->events = follower->events_counted = 0;
    follower->since = clock_wall(delivery->config.clock);
    follower->asked = follower->blocked = false;
    follower->retry_page_at = (struct mono){0};
    /* A first sign of life is due at once. */
    follower->sent_at = mono_add_ms(delivery_now(delivery), -DELIVERY_HEARTBEAT_MS);
    if (*follow->consumer)
        return consumers_join(delivery, follower, follow);
    /* An instance that lags a little may not know the position yet: the log itself must say. */
    if (follow->after > delivery->tail.last)
        delivery_ask_page(delivery, follower, follow->after);
    return OK;
}

static void
take_follow(struct delivery *delivery, const struct routing *routing, const char *user_id,
            const Events__V1__Follow *follow)
{
    struct follower *follower = followers_find(&delivery->followers, routing);
    struct status status;

    if (!follower) {
        if (delivery->followers.count >= delivery->config.followers_limit) {
            refuse(delivery, routing, user_id,
                   FAIL(&delivery->arena, RESOURCE_EXHAUSTED, "too many follow here"));
            return;
        }
        follower = follower_create(routing, user_id);
        if (!follower)
            return; /* no memory: it will ask again */
        followers_add(&delivery->followers, follower);
    }
    status = start(delivery, follower, follow);
    if (failed(status))
        delivery_end(delivery, follower, status, 0);
}

static void
take_credit(struct delivery *delivery, struct follower *follower,
            const Events__V1__Credit *credit)
{
    if (follower->state != FOLLOWER_FOLLOWS)
        return; /* was under way when the follow ended */
    if (credit->events > RULES_CREDIT_MAX - follower->credit) {
        delivery_end(delivery, follower,
                     FAIL_FIELD(&delivery->arena, "credit.events",
                                "would make %" PRIu64 ", above %u",
                                (uint64_t)follower->credit + credit->events, RULES_CREDIT_MAX),
                     0);
        return;
    }
    follower->credit += credit->events;
}

static void
take_ack(struct delivery *delivery, struct follower *follower, const Events__V1__Ack *ack)
{
    if (follower->state == FOLLOWER_FOLLOWS) /* else it was under way when the follow ended */
        consumers_ack(delivery, follower, ack->delivery);
}

static void
take_append(struct delivery *delivery, const struct delivery_message *message,
            const Events__V1__Append *append)
{
    struct quota *quota =
        quotas_get(delivery->quotas, message->user_id, delivery_now(delivery));

    if (quota) /* no memory: it will ask again */
        appends_take(&delivery->appends, message->routing, quota,
                     rights_of(delivery, message->user_id), append, message->batch,
                     &delivery->arena);
}

static void
dispatch(struct delivery *delivery, const struct delivery_message *message,
         struct follower *follower, const Events__V1__ClientFrame *frame)
{
    if (frame->frame_case == EVENTS__V1__CLIENT_FRAME__FRAME_APPEND)
        take_append(delivery, message, frame->append);
    else if (frame->frame_case == EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW)
        take_follow(delivery, message->routing, message->user_id, frame->follow);
    else if (!follower)
        refuse(delivery, message->routing, message->user_id,
               FAIL(&delivery->arena, UNAVAILABLE, "nothing is followed here: follow first"));
    else if (frame->frame_case == EVENTS__V1__CLIENT_FRAME__FRAME_CREDIT)
        take_credit(delivery, follower, frame->credit);
    else if (frame->frame_case == EVENTS__V1__CLIENT_FRAME__FRAME_ACK)
        take_ack(delivery, follower, frame->ack);
    else
        delivery_end(delivery, follower, OK, 0);
}

static struct status
read_message(struct delivery *delivery, const struct delivery_message *message,
             const struct follower *follower, Events__V1__ClientFrame **ret)
{
    unsigned parts;

    if (follower && strcmp(follower->user_id, message->user_id) != 0)
        return FAIL(&delivery->arena, PERMISSION_DENIED, "this key has no rights here");
    TRY(frame_read(message->frame, &delivery->arena, ret));
    parts = (*ret)->frame_case == EVENTS__V1__CLIENT_FRAME__FRAME_APPEND ? 2 : 1;
    if (message->parts != parts)
        return FAIL_FIELD(&delivery->arena, "frame", "such a message has %u frames, not %u",
                          parts, message->parts);
    return OK;
}

void
delivery_take(struct delivery *delivery, const struct delivery_message *message)
{
    struct follower *follower = followers_find(&delivery->followers, message->routing);
    Events__V1__ClientFrame *frame;
    const struct status status = read_message(delivery, message, follower, &frame);

    if (!failed(status))
        dispatch(delivery, message, follower, frame);
    else if (follower && follower->state == FOLLOWER_FOLLOWS)
        delivery_end(delivery, follower, status, 0);
    else
        refuse(delivery, message->routing, message->user_id, status);
    arena_reset(&delivery->arena);
}

void
delivery_take_page(struct delivery *delivery, struct reader_item *page)
{
    struct follower *follower = followers_find(&delivery->followers, &page->routing);

    if (!follower || follower->state != FOLLOWER_FOLLOWS || follower->serial != page->serial)
        return;
    follower->asked = false;
    switch (page->code) {
    case CODE_OK:
        follower_take_page(follower, page);
        return;
    case CODE_POSITION_GONE:
        delivery_end(delivery, follower,
                     FAIL(&delivery->arena, POSITION_GONE,
                          "events after %" PRIu64 " are no longer kept", page->after),
                     page->first_kept);
        break;
    case CODE_INVALID_ARGUMENT:
        delivery_end(delivery, follower,
                     FAIL_FIELD(&delivery->arena, "follow.after", "the log ends at %" PRIu64,
                                page->head),
                     0);
        break;
    default: /* heartbeats go on; the position does not */
        follower->retry_page_at = mono_add_ms(delivery_now(delivery), RETRY_PAGE_MS);
        break;
    }
    arena_reset(&delivery->arena);
}

static const char *
key_of(const struct rights *rights)
{
    return rights->key ? rights->key : "";
}

/* Rights may have been taken, narrowed or widened: what was read under the old ones goes. */
static void
renew(struct delivery *delivery, struct follower *follower)
{
    const struct rights *rights = rights_of(delivery, follower->user_id);
    struct sieve *sieve;

    if (!rights) {
        delivery_end(
            delivery, follower,
            FAIL(&delivery->arena, PERMISSION_DENIED, "this key has no rights here any longer"),
            0);
        return;
    }
    if (rules_rights_equal(rights, &follower->sieve->rights))
        return;
    if (strcmp(key_of(rights), key_of(&follower->sieve->rights)) != 0) {
        delivery_end(
            delivery, follower,
            FAIL(&delivery->arena, PERMISSION_DENIED, "the system has another key now"), 0);
        return;
    }
    if (failed(rules_sieve_renew(follower->sieve, rights, &sieve))) {
        delivery_end(delivery, follower, FAIL(&delivery->arena, UNAVAILABLE, "no memory"), 0);
        return;
    }
    rules_sieve_release(&follower->sieve);
    follower->sieve = sieve;
    follower_drop_pages(follower);
}

static void
renew_all(struct delivery *delivery)
{
    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++)
        for (struct follower *follower = delivery->followers.buckets[i]; follower;
             follower = follower->next)
            if (follower->state == FOLLOWER_FOLLOWS)
                renew(delivery, follower);
    arena_reset(&delivery->arena);
}

void
delivery_take_rights(struct delivery *delivery, struct rights_table *table)
{
    rights_destroy(&delivery->rights);
    delivery->rights = table;
    renew_all(delivery);
}

static void
tick_follow(struct delivery *delivery, struct follower *follower, struct mono now)
{
    if (follower->blocked &&
        delivery_passed(follower->blocked_since, delivery->config.slow_ms, now)) {
        delivery_end(delivery, follower,
                     FAIL(&delivery->arena, RESOURCE_EXHAUSTED,
                          "nothing was read for %u ms: follow again from `through`",
                          delivery->config.slow_ms),
                     0);
        return;
    }
    if (!follower->credit)
        follower_drop_pages(follower); /* others can use the memory meanwhile */
    if (follower->through > delivery->tail.last && !follower->asked)
        delivery_ask_page(delivery, follower, follower->through);
    delivery_keep_alive(delivery, follower, now);
}

/* True: it can be forgotten. */
static bool
tick_ended(struct delivery *delivery, struct follower *follower, struct mono now)
{
    if (follower->farewell_size &&
        post_frame(delivery->config.socket, &follower->routing,
                   (struct bytes){follower->farewell, follower->farewell_size}) != POST_FULL)
        follower->farewell_size = 0;
    return delivery_passed(follower->ended_at, REMEMBER_MS, now);
}

void
delivery_tick(struct delivery *delivery)
{
    const struct mono now = delivery_now(delivery);
    size_t follows = 0;

    renew_all(delivery); /* times of expiry pass without anybody's word */
    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++) {
        struct follower **link = &delivery->followers.buckets[i];

        while (*link) {
            if ((*link)->state == FOLLOWER_FOLLOWS) {
                tick_follow(delivery, *link, now);
                follows++;
            } else if (tick_ended(delivery, *link, now)) {
                followers_remove(&delivery->followers, link);
                continue;
            }
            link = &(*link)->next;
        }
    }
    consumers_tick(delivery, now);
    census_tick(delivery, now);
    metric_set(&followers_gauge, NULL, NULL, (double)follows);
    quotas_sweep(delivery->quotas, now);
    arena_reset(&delivery->arena);
}

void
delivery_end_all(struct delivery *delivery)
{
    consumers_flush(delivery);
    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++)
        for (struct follower *follower = delivery->followers.buckets[i]; follower;
             follower = follower->next)
            if (follower->state == FOLLOWER_FOLLOWS)
                delivery_end(delivery, follower,
                             FAIL(&delivery->arena, UNAVAILABLE, "this instance is stopping"),
                             0);
}
