#include "services/matching/engine/merge.h"

/* The living of all units, one after another. */
struct living {
    struct merge *merge;
    struct place *places;
    uint32_t count;
};

static uint32_t
key_of(void *context, uint32_t number)
{
    const struct living *living = context;
    const struct place *place = &living->places[number];
    const struct base *base = place->unit->base;
    const struct tail *tail = place->unit->tail;

    if (tail)
        return (uint32_t)tail->regions[place->number] << 16 | tail->order[place->number];
    return (uint32_t)base_area_of(base, place->number)->region << 16 |
           base->order[place->number];
}

static void
read_one(void *context, uint32_t number, uint32_t *terms, struct document *ret)
{
    const struct living *living = context;

    place_read(&living->places[number], terms, ret);
}

static void
gather(struct living *living)
{
    for (uint32_t i = 0; i < living->merge->count; i++) {
        const struct unit *unit = &living->merge->units[i];
        const uint32_t blocks = unit_block_count(unit);

        for (uint32_t block = 0; block < blocks; block++)
            for (uint64_t who = unit_live(unit, block); who; who &= who - 1)
                living->places[living->count++] =
                    (struct place){unit, block * 64 + (uint32_t)__builtin_ctzll(who)};
    }
}

void
merge_run(struct merge *merge)
{
    struct living living = {.merge = merge};
    struct base_source source = {0, &living, key_of, read_one};
    const struct base_options options = {merge->term_limit, merge->class_count,
                                         merge->with_items, &merge->stop};
    size_t most = 1;

    for (uint32_t i = 0; i < merge->count; i++)
        most += (size_t)unit_block_count(&merge->units[i]) * 64;
    living.places = calloc(most, sizeof *living.places);
    merge->done = need(living.places);
    if (!failed(merge->done)) {
        gather(&living);
        source.count = living.count;
        if (living.count > 0)
            merge->done = base_build(&source, &options, &merge->made);
    }
    free(living.places);
    atomic_store_explicit(&merge->ready, true, memory_order_release);
}

static void *
run(void *context)
{
    merge_run(context);
    return NULL;
}

struct status
merge_start(struct merge *merge)
{
    if (pthread_create(&merge->thread, NULL, run, merge) != 0)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "no thread for a merge");
    merge->started = true;
    return OK;
}

void
merge_join(struct merge *merge)
{
    if (merge->started)
        (void)pthread_join(merge->thread, NULL); /* it is ours and not yet joined */
    merge->started = false;
}
