#include "services/events/census.h"

#include <stdlib.h>

#include "services/events/delivery.h"

#define CENSUS_MS 3000
#define CENSUS_BYTES ((size_t)16 << 20)

void
census_destroy(struct census **census)
{
    struct census *gone = take(census);

    if (!gone)
        return;
    arena_fini(&gone->arena);
    free(gone);
}

static struct status
add(struct census *census, struct follower *follower, int64_t elapsed_ms)
{
    struct store_census_row *row = &census->rows[census->count];
    const struct group *group = follower->member ? follower->member->group : NULL;
    struct texts types;

    TRY(need(row->user_id = arena_copy(&census->arena, follower->user_id)));
    TRY(need(row->consumer = arena_copy(&census->arena, group ? group->name : "")));
    TRY(rules_copy_texts(follower->sieve->terms.types, &census->arena, &types));
    row->types = types.items;
    row->type_count = types.count;
    row->position = follower->through;
    row->events_sent = follower->events;
    row->events_per_second =
        (follower->events - follower->events_counted) * 1000 / (uint64_t)elapsed_ms;
    row->blocked = follower->blocked;
    row->since_unix_ms = (uint64_t)follower->since.unix_ms;
    follower->events_counted = follower->events;
    census->count++;
    return OK;
}

static struct status
take_census(struct delivery *delivery, int64_t elapsed_ms, struct census *census)
{
    arena_init(&census->arena, CENSUS_BYTES);
    TRY(need(census->rows =
                 ARENA_ARRAY(&census->arena, struct store_census_row, STORE_CENSUS_ROWS)));
    for (size_t i = 0; i < FOLLOWERS_BUCKETS; i++)
        for (struct follower *follower = delivery->followers.buckets[i]; follower;
             follower = follower->next) {
            if (follower->state != FOLLOWER_FOLLOWS)
                continue;
            if (census->count == STORE_CENSUS_ROWS)
                return OK;
            TRY(add(census, follower, elapsed_ms));
        }
    return OK;
}

void
census_tick(struct delivery *delivery, struct mono now)
{
    const int64_t elapsed_ms = mono_micros_between(delivery->counted_at, now) / 1000;
    struct reader_item *item;
    struct census *census;

    if (elapsed_ms < CENSUS_MS)
        return;
    delivery->counted_at = now;
    item = calloc(1, sizeof *item);
    census = calloc(1, sizeof *census);
    if (!item || !census || failed(take_census(delivery, elapsed_ms, census))) {
        free(item);
        census_destroy(&census);
        return; /* the next one tells */
    }
    item->kind = READER_CENSUS;
    item->census = census;
    if (!reader_ask(delivery->reader, item))
        reader_item_destroy(&item);
}
