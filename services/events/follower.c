#include "services/events/follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_BYTES                                                                            \
    ((size_t)8 << 10)  /* from here on sharing a block is cheaper than a copy                  \
                        */
#define LOOK_MAX 10000 /* events looked at before others have their turn */

bool
follower_is_live(const struct follower *follower, const struct tail *tail)
{
    return follower->through >= tail_after(tail);
}

/* Lets go of what has been sent. */
static void
drop_done(struct follower *follower)
{
    while (follower->page && follower->page->last <= follower->through) {
        struct block *done = follower->page;

        follower->page = done->next ? done->next : take(&follower->next_page);
        done->next = NULL;
        block_release(&done);
    }
}

static struct block *
find_in(struct block *page, uint64_t position)
{
    if (!page || page->position > position)
        return NULL;
    while (page && page->last < position)
        page = page->next;
    return page;
}

/* The block with the position, from the tail or from the pages; NULL: not at hand. */
static struct block *
source(struct follower *follower, const struct tail *tail, uint64_t position)
{
    struct block *block;

    if (tail_after(tail) < position)
        return tail_find(tail, position);
    block = find_in(follower->page, position);
    return block ? block : find_in(follower->next_page, position);
}

static bool
passes(const struct follower *follower, const struct packed_event *event, uint64_t position)
{
    return rules_passes(follower->sieve, event) &&
           (!follower->member || group_passes(follower->member, event, position));
}

static bool
passes_all(const struct follower *follower, uint64_t position)
{
    return rules_passes_all(follower->sieve) &&
           (!follower->member || group_passes_all(follower->member, position));
}

static bool
is_whole(const struct follower *follower, struct block *block, uint64_t position)
{
    if (block->position != position || block->data.size < WHOLE_BYTES ||
        block->count > follower->credit)
        return false;
    if (passes_all(follower, position))
        return true;
    if (!block_open(block))
        return false;
    for (uint32_t i = 0; i < block->count; i++)
        if (!passes(follower, &block->events[i].parts, position + i))
            return false;
    return true;
}

/* Copies what passes of one block; false: the batch is full or the credit used. */
static bool
copy_block(const struct follower *follower, struct block *block, uint8_t *scratch,
           struct batch *batch)
{
    if (!block_open(block))
        return false; /* damaged: heartbeats go on, the position does not */
    if (!block->data.size) {
        batch->through = block->last;
        return true;
    }
    for (uint64_t position = batch->through + 1; position <= block->last; position++) {
        const struct block_event *event = block_event_at(block, position);

        if (passes(follower, &event->parts, position)) {
            if (batch->count == follower->credit)
                return false;
            if (batch->count && batch->size + event->framed.size > BATCH_BYTES)
                return false;
            memcpy(scratch + batch->size, event->framed.data, event->framed.size);
            batch->size += event->framed.size;
            batch->count++;
        }
        batch->through = position;
    }
    return true;
}

void
follower_gather(struct follower *follower, const struct tail *tail, uint8_t *scratch,
                struct batch *ret)
{
    struct batch batch = {.through = follower->through};
    struct block *block = NULL;

    if (follower_is_live(follower, tail))
        follower_drop_pages(follower);
    drop_done(follower);
    while (batch.through - follower->through < LOOK_MAX) {
        block = source(follower, tail, batch.through + 1);
        if (!block)
            break;
        if (is_whole(follower, block, batch.through + 1)) {
            if (!batch.count) {
                batch.whole = block;
                batch.count = block->count;
                batch.through = block->last;
            }
            break;
        }
        if (!copy_block(follower, block, scratch, &batch))
            break;
    }
    batch.more = block != NULL;
    *ret = batch;
}

static uint64_t
end_of(const struct block *page)
{
    while (page->next)
        page = page->next;
    return page->last;
}

void
follower_take_page(struct follower *follower, struct reader_item *page)
{
    const uint64_t expected = follower->page ? end_of(follower->page) : follower->through;

    if (page->sieve != follower->sieve || page->after != expected || !page->blocks)
        return;
    if (!follower->page)
        follower->page = take(&page->blocks);
    else if (!follower->next_page)
        follower->next_page = take(&page->blocks);
}

void
follower_drop_pages(struct follower *follower)
{
    store_page_release(&follower->page);
    store_page_release(&follower->next_page);
}

void
follower_enter(struct follower *follower, struct quota *quota)
{
    if (follower->state != FOLLOWER_FOLLOWS)
        quota->follows++;
    follower->quota = quota;
    follower->state = FOLLOWER_FOLLOWS;
}

void
follower_leave(struct follower *follower, struct mono now)
{
    if (follower->state == FOLLOWER_FOLLOWS)
        follower->quota->follows--;
    follower->quota = NULL;
    follower->state = FOLLOWER_ENDED;
    follower->ended_at = now;
    follower->farewell_size = 0;
    follower->asked = false;
    follower_drop_pages(follower);
    rules_sieve_release(&follower->sieve);
    if (follower->member && follower->member->group)
        group_leave(follower->member);
    free(take(&follower->member));
}

bool
follower_wants_page(const struct follower *follower, const struct tail *tail,
                    uint64_t *ret_after)
{
    const uint64_t after = follower->page ? end_of(follower->page) : follower->through;

    if (follower->asked || follower->next_page || !follower->credit ||
        after >= tail_after(tail))
        return false;
    *ret_after = after;
    return true;
}

size_t
follower_pages(const struct follower *follower)
{
    return (size_t)follower->asked + (follower->page != NULL) + (follower->next_page != NULL);
}

struct follower *
follower_create(const struct routing *routing, const char *user_id)
{
    struct follower *follower = calloc(1, sizeof *follower);

    if (!follower)
        return NULL;
    follower->routing = *routing;
    (void)snprintf(follower->user_id, sizeof follower->user_id, "%s", user_id);
    return follower;
}

void
follower_destroy(struct follower **follower)
{
    struct follower *gone = take(follower);

    if (!gone)
        return;
    follower_leave(gone, (struct mono){0});
    free(gone);
}

/* The ids are libzmq's own counters, or at most what a peer harms itself with. */
static size_t
bucket_of(const struct routing *routing)
{
    return bytes_hash(BYTES_HASH_START, routing->bytes, routing->size) % FOLLOWERS_BUCKETS;
}

struct follower *
followers_find(const struct followers *followers, const struct routing *routing)
{
    struct follower *follower = followers->buckets[bucket_of(routing)];

    while (follower && (follower->routing.size != routing->size ||
                        memcmp(follower->routing.bytes, routing->bytes, routing->size) != 0))
        follower = follower->next;
    return follower;
}

void
followers_add(struct followers *followers, struct follower *follower)
{
    struct follower **bucket = &followers->buckets[bucket_of(&follower->routing)];

    follower->next = *bucket;
    *bucket = follower;
    followers->count++;
}

void
followers_remove(struct followers *followers, struct follower **link)
{
    struct follower *gone = *link;

    *link = gone->next;
    followers->count--;
    follower_destroy(&gone);
}
