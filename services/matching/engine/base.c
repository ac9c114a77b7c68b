#include "services/matching/engine/base.h"

#include "services/matching/engine/forward.h"

void
base_drop(struct base *base)
{
    if (!base || --base->references > 0)
        return;
    for (size_t i = 0; i < base->bulk_count; i++)
        bulk_clear(&base->bulks[i]);
    free(base->bulks);
    free(base);
}

/* The slot after this one. */
static uint32_t
after(uint32_t slot, uint32_t slot_count)
{
    return slot + 1 == slot_count ? 0 : slot + 1;
}

void
base_prefetch_term(const struct base *base, uint32_t term)
{
    if (base->term_slot_count > 0)
        __builtin_prefetch(&base->term_slots[base_slot(term, base->term_slot_count)]);
}

uint32_t
base_find_term(const struct base *base, uint32_t term)
{
    uint32_t slot;

    if (base->term_slot_count == 0)
        return BASE_NONE;
    slot = base_slot(term, base->term_slot_count);
    while (base->term_slots[slot] != BASE_NONE) {
        if (base->terms[base->term_slots[slot]].term == term)
            return base->term_slots[slot];
        slot = after(slot, base->term_slot_count);
    }
    return BASE_NONE;
}

uint32_t
base_find(const struct base *base, uint64_t id, bool (*is)(void *context, uint32_t place),
          void *context)
{
    uint32_t slot;

    if (base->id_slot_count == 0)
        return BASE_NONE;
    slot = base_slot(id, base->id_slot_count);
    while (base->id_slots[slot] != BASE_NONE) {
        const uint32_t place = base->id_slots[slot];

        if (base->ids[place] == id && is(context, place))
            return place;
        slot = after(slot, base->id_slot_count);
    }
    return BASE_NONE;
}

const struct area *
base_area_of(const struct base *base, uint32_t place)
{
    const uint32_t block = place / 64;
    uint32_t low = 0;
    uint32_t high = base->area_count - 1;

    while (low < high) {
        const uint32_t middle = low + (high - low + 1) / 2;

        if (base->areas[middle].first_block <= block)
            low = middle;
        else
            high = middle - 1;
    }
    return &base->areas[low];
}

void
base_read(const struct base *base, uint32_t place, uint32_t *terms, struct document *ret)
{
    const uint64_t *planes = &base->planes[(size_t)(place / 64) * base->class_count];
    uint64_t classes = 0;

    for (uint32_t i = 0; i < base->class_count; i++)
        classes |= (planes[i] >> (place % 64) & 1) << i;
    *ret =
        (struct document){.id = base->ids[place],
                          .item = base->items ? base->items[place] : NULL,
                          .terms = terms,
                          .term_count = forward_get_document(base_forward(base, place), terms),
                          .classes = classes,
                          .region = base_area_of(base, place)->region,
                          .order = base->order[place],
                          .from = base->from[place],
                          .until = base->until[place],
                          .grade = base->grades[place]};
}
