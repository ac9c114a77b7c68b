#include "services/matching/engine/version.h"

#include "services/matching/engine/forward.h"

uint32_t
unit_block_count(const struct unit *unit)
{
    return ((unit->base ? unit->base->place_count : unit->places) + 63) / 64;
}

uint64_t
unit_live(const struct unit *unit, uint32_t block)
{
    uint64_t live = ~dead_word(unit->dead, block);

    if (unit->base)
        return live & ~unit->base->empty[block];
    if (unit->places < (block + 1) * 64)
        live &= (UINT64_C(1) << (unit->places % 64)) - 1;
    return live;
}

void
unit_drop(struct unit *unit)
{
    base_drop(unit->base);
    tail_drop(unit->tail);
    dead_drop(unit->dead);
    *unit = (struct unit){0};
}

void
unit_hold(const struct unit *unit)
{
    if (unit->base)
        unit->base->references++;
    if (unit->tail)
        unit->tail->references++;
    dead_hold(unit->dead);
}

void *
place_item(const struct place *place)
{
    const struct unit *unit = place->unit;

    if (unit->tail)
        return unit->tail->items[place->number];
    return unit->base->items ? unit->base->items[place->number] : NULL;
}

uint64_t
place_id(const struct place *place)
{
    const struct unit *unit = place->unit;

    return unit->tail ? unit->tail->ids[place->number] : unit->base->ids[place->number];
}

void
place_read(const struct place *place, uint32_t *terms, struct document *ret)
{
    if (place->unit->tail)
        tail_read(place->unit->tail, place->number, ret);
    else
        base_read(place->unit->base, place->number, terms, ret);
}

uint32_t
place_terms(const struct place *place, uint32_t *terms)
{
    const struct tail *tail = place->unit->tail;

    if (!tail)
        return forward_get_document(base_forward(place->unit->base, place->number), terms);
    memcpy(terms, tail->terms[place->number], tail->term_counts[place->number] * sizeof *terms);
    return tail->term_counts[place->number];
}

struct finding {
    const struct unit *unit;
    bool (*is)(void *context, void *item);
    void *context;
};

static bool
is_it(void *context, uint32_t number)
{
    const struct finding *finding = context;
    const struct place place = {finding->unit, number};

    return !dead_has(finding->unit->dead, number) &&
           (!finding->is || finding->is(finding->context, place_item(&place)));
}

bool
version_find(const struct version *version, uint64_t id, bool (*is)(void *context, void *item),
             void *context, struct place *ret)
{
    for (uint32_t i = version->unit_count; i > 0; i--) {
        const struct unit *unit = &version->units[i - 1];
        struct finding finding = {unit, is, context};
        const uint32_t number = unit->tail
                                    ? tail_find(unit->tail, unit->places, id, is_it, &finding)
                                    : base_find(unit->base, id, is_it, &finding);

        if (number != BASE_NONE) {
            *ret = (struct place){unit, number};
            return true;
        }
    }
    return false;
}

/* The places of a block that are of one of these classes. */
static uint64_t
of_classes(const struct unit *unit, uint32_t block, uint64_t classes)
{
    uint64_t who = 0;

    for (; classes; classes &= classes - 1) {
        const uint32_t number = (uint32_t)__builtin_ctzll(classes);

        who |= unit->base ? unit->base->planes[(size_t)block * unit->base->class_count + number]
                          : atomic_load_explicit(
                                &unit->tail->planes[block * unit->tail->class_count + number],
                                memory_order_relaxed);
    }
    return who;
}

void
version_each(const struct version *version, uint64_t classes,
             bool (*visit)(void *context, const struct place *place), void *context)
{
    for (uint32_t i = 0; i < version->unit_count; i++) {
        const struct unit *unit = &version->units[i];
        const uint32_t blocks = unit_block_count(unit);

        for (uint32_t block = 0; block < blocks; block++) {
            uint64_t who = unit_live(unit, block);

            if (classes)
                who &= of_classes(unit, block, classes);
            for (; who; who &= who - 1) {
                const struct place place = {unit, block * 64 + (uint32_t)__builtin_ctzll(who)};

                if (!visit(context, &place))
                    return;
            }
        }
    }
}
