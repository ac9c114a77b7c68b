#include "services/events/consumers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_EVERY_MS 500 /* positions of one consumer */

static struct group *
find(const struct delivery *delivery, const char *user_id, const char *name)
{
    struct group *group = delivery->groups;

    while (group && (strcmp(group->name, name) != 0 || strcmp(group->user_id, user_id) != 0))
        group = group->next;
    return group;
}

/* Asks the reader for a consumer's positions, or to keep them. */
static void
ask(struct delivery *delivery, struct group *group, enum reader_kind kind, uint64_t after)
{
    struct reader_item *item = calloc(1, sizeof *item);
    struct store_consumer *consumer = calloc(1, sizeof *consumer);

    group->saved_at = delivery_now(delivery);
    if (!item || !consumer) {
        free(item);
        free(consumer);
        return; /* the next tick tries again */
    }
    (void)snprintf(consumer->user_id, sizeof consumer->user_id, "%s", group->user_id);
    (void)snprintf(consumer->name, sizeof consumer->name, "%s", group->name);
    consumer->after = after;
    consumer->epoch = group->epoch;
    consumer->members = (uint32_t)group->member_count;
    memcpy(consumer->acked, group->acked, sizeof consumer->acked);
    item->kind = kind;
    item->after = after;
    item->consumer = consumer;
    group->saving = reader_ask(delivery->reader, item);
    if (!group->saving)
        reader_item_destroy(&item);
    else if (kind == READER_MOVE)
        group->dirty = false;
}

static struct status
get(struct delivery *delivery, const char *user_id, const char *name, uint64_t after,
    struct group **ret)
{
    struct group *group = find(delivery, user_id, name);

    if (!group) {
        if (delivery->group_count >= CONSUMERS_MAX)
            return FAIL(&delivery->arena, RESOURCE_EXHAUSTED,
                        "too many durable consumers are served here");
        TRY(need(group = calloc(1, sizeof *group)));
        (void)snprintf(group->user_id, sizeof group->user_id, "%s", user_id);
        (void)snprintf(group->name, sizeof group->name, "%s", name);
        group->next = delivery->groups;
        delivery->groups = group;
        delivery->group_count++;
    }
    if (!group->open && !group->saving && !group->member_count) {
        group->after = after;
        ask(delivery, group, READER_OPEN, after);
    }
    *ret = group;
    return OK;
}

/* Ends the group's follows but one. */
static void
end_members(struct delivery *delivery, const struct group *group, const struct follower *but,
            struct status why, uint64_t first_kept)
{
    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++)
        for (struct follower *follower = delivery->followers.buckets[i]; follower;
             follower = follower->next)
            if (follower != but && follower->member && follower->member->group == group)
                delivery_end(delivery, follower, why, first_kept);
}

struct status
consumers_join(struct delivery *delivery, struct follower *follower,
               const Events__V1__Follow *follow)
{
    struct group *group;

    if (!delivery->config.leads(delivery->config.context))
        return FAIL(&delivery->arena, UNAVAILABLE,
                    "not_leader: another instance serves durable consumers");
    TRY(get(delivery, follower->user_id, follow->consumer, follow->after, &group));
    if (!follow->shared || !group->shared)
        end_members(delivery, group, follower,
                    FAIL(&delivery->arena, ABORTED, "another follow took over the consumer"),
                    0);
    group->shared = follow->shared;
    TRY(need(follower->member = calloc(1, sizeof *follower->member)));
    if (group_join(group, follower->member))
        return OK;
    free(take(&follower->member));
    return FAIL(&delivery->arena, RESOURCE_EXHAUSTED, "%d follows share the consumer already",
                GROUP_MEMBERS);
}

void
consumers_ack(struct delivery *delivery, struct follower *follower, uint64_t acknowledged)
{
    if (!follower->member)
        delivery_end(delivery, follower,
                     FAIL_FIELD(&delivery->arena, "ack", "is for durable consumers"), 0);
    else if (!group_ack(follower->member, acknowledged))
        delivery_end(delivery, follower,
                     FAIL_FIELD(&delivery->arena, "ack.delivery", "the last one was %" PRIu64,
                                follower->member->last),
                     0);
}

bool
consumers_ready(struct follower *follower)
{
    struct group_member *member = follower->member;

    if (!member->group->open || !member->lanes || !group_has_room(member))
        return false;
    if (member->restart) {
        member->restart = false;
        follower_drop_pages(follower);
        follower->through = follower->sent = group_member_start(member);
    }
    return true;
}

/* The table did not give what was asked. */
static void
take_refusal(struct delivery *delivery, struct group *group, const struct reader_item *answer)
{
    struct arena *arena = &delivery->arena;

    switch (answer->code) {
    case CODE_INVALID_ARGUMENT:
        end_members(delivery, group, NULL,
                    FAIL_FIELD(arena, "follow.after", "the log ends at %" PRIu64, answer->head),
                    0);
        break;
    case CODE_RESOURCE_EXHAUSTED:
        end_members(delivery, group, NULL,
                    FAIL(arena, RESOURCE_EXHAUSTED,
                         "a key has at most %d durable consumers: forget one",
                         STORE_CONSUMERS_OF_A_KEY),
                    0);
        break;
    case CODE_NOT_FOUND:
        end_members(
            delivery, group, NULL,
            FAIL(arena, UNAVAILABLE,
                 "the consumer was forgotten, or another instance serves it: follow again"),
            0);
        group->open = false; /* it is not ours to keep; who comes next asks anew */
        break;
    default: /* Postgres is away: the tick tries again */
        group->dirty = group->open;
        return;
    }
    group->dirty = false;
}

void
consumers_take_answer(struct delivery *delivery, struct reader_item *answer)
{
    const struct store_consumer *consumer = answer->consumer;
    struct group *group = find(delivery, consumer->user_id, consumer->name);

    if (!group)
        return;
    group->saving = false;
    if (answer->code != CODE_OK)
        take_refusal(delivery, group, answer);
    else if (answer->kind == READER_OPEN)
        group_open(group, consumer->epoch, consumer->acked);
    arena_reset(&delivery->arena);
}

static void
end_the_silent(struct delivery *delivery, struct mono now)
{
    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++)
        for (struct follower *follower = delivery->followers.buckets[i]; follower;
             follower = follower->next) {
            struct mono since;

            if (follower->member && follower->member->group->member_count > 1 &&
                group_oldest(follower->member, &since) &&
                delivery_passed(since, delivery->config.ack_ms, now))
                delivery_end(delivery, follower,
                             FAIL(&delivery->arena, RESOURCE_EXHAUSTED,
                                  "nothing was acknowledged for %u ms: its work goes to others",
                                  delivery->config.ack_ms),
                             0);
        }
}

/* What is neither used nor to be kept goes. */
static void
sweep(struct delivery *delivery)
{
    struct group **link = &delivery->groups;

    while (*link) {
        struct group *group = *link;

        if (group->member_count || group->dirty || group->saving) {
            link = &group->next;
            continue;
        }
        *link = group->next;
        delivery->group_count--;
        free(group);
    }
}

void
consumers_tick(struct delivery *delivery, struct mono now)
{
    const bool leads = delivery->config.leads(delivery->config.context);

    for (struct group *group = delivery->groups; group; group = group->next) {
        if (!leads)
            end_members(delivery, group, NULL,
                        FAIL(&delivery->arena, UNAVAILABLE,
                             "not_leader: another instance serves durable consumers"),
                        0);
        if (group->saving || !delivery_passed(group->saved_at, KEEP_EVERY_MS, now))
            continue;
        if (!group->open && group->member_count)
            ask(delivery, group, READER_OPEN, group->after);
        else if (group->dirty)
            ask(delivery, group, READER_MOVE, 0);
    }
    end_the_silent(delivery, now);
    sweep(delivery);
}

void
consumers_flush(struct delivery *delivery)
{
    for (struct group *group = delivery->groups; group; group = group->next)
        if (group->dirty)
            ask(delivery, group, READER_MOVE, 0);
}

void
consumers_fini(struct delivery *delivery)
{
    while (delivery->groups) {
        struct group *group = delivery->groups;

        delivery->groups = group->next;
        free(group);
    }
}
