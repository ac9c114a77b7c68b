#include "services/matching/composition/plan.h"

#include <string.h>

static unsigned
width_of(unsigned cap)
{
    return cap ? 32 - (unsigned)__builtin_clz(cap) : 1;
}

static bool
is_bit(const struct pool_row *row)
{
    return row->need == 1 && row->limit == POOL_NO_LIMIT;
}

/* Where each row is counted; `places` is the bit or field of a row, by row. */
static struct status
lay_out(struct plan *plan, const struct relax *relax, struct arena *arena,
        uint64_t places[POOL_ROWS_MAX])
{
    const struct pool *pool = plan->pool;
    unsigned shift;

    for (size_t r = 0; r < pool->row_count; r++) {
        if (!is_bit(&pool->rows[r]))
            continue;
        plan->bit_rows[plan->bit_count] = r;
        plan->bit_multipliers[plan->bit_count] = relax->multipliers[r];
        places[r] = UINT64_C(1) << plan->bit_count;
        plan->hard_bits |= pool->rows[r].forfeit ? 0 : places[r];
        plan->bit_count++;
    }
    shift = (unsigned)plan->bit_count;
    for (size_t r = 0; r < pool->row_count; r++) {
        const struct pool_row *row = &pool->rows[r];
        struct plan_field *field = &plan->fields[plan->field_count];

        if (is_bit(row) || (!row->need && row->limit == POOL_NO_LIMIT))
            continue;
        *field =
            (struct plan_field){.shift = shift,
                                .need = row->need,
                                .cap = row->limit == POOL_NO_LIMIT ? row->need : row->limit,
                                .limited = row->limit != POOL_NO_LIMIT,
                                .row = r,
                                .multiplier = relax->multipliers[r]};
        field->mask = (UINT64_C(1) << width_of(field->cap)) - 1;
        places[r] = UINT64_C(1) << plan->field_count++;
        shift += width_of(field->cap);
        if (shift > PLAN_BITS)
            return FAIL_FIELD(arena, "rows", "need more than %d bits", PLAN_BITS);
    }
    return OK;
}

struct group_count {
    uint32_t items;
    uint8_t bit;
    bool numbered;
};

/* Gives a bit to each group that has several items. */
static struct status
number_groups(struct plan *plan, struct arena *arena)
{
    struct group_count *groups = ARENA_ARRAY(arena, struct group_count, UINT16_MAX + 1);
    unsigned bits = 0;
    uint64_t live = 0;

    TRY(need(groups));
    for (size_t i = 0; i < plan->count; i++)
        groups[plan->pool->candidates[plan->items[i].item].group].items++;
    for (size_t i = 0; i < plan->count; i++) {
        const uint16_t id = plan->pool->candidates[plan->items[i].item].group;

        if (!id || groups[id].items < 2)
            continue;
        if (!groups[id].numbered) {
            groups[id] = (struct group_count){groups[id].items, (uint8_t)(bits % 64), true};
            plan->groups_lost |= bits++ >= 64;
        }
        plan->items[i].group = UINT64_C(1) << groups[id].bit;
    }
    for (size_t i = plan->count; i-- > 0;) {
        plan->items[i].groups_live = live;
        live |= plan->items[i].group;
    }
    return OK;
}

static void
place_item(struct plan *plan, const uint64_t places[POOL_ROWS_MAX], uint32_t item,
           struct plan_item *into)
{
    const struct pool_candidate *candidate = &plan->pool->candidates[item];

    *into = (struct plan_item){.cost = (int64_t)candidate->cost * RELAX_SCALE,
                               .item = item,
                               .counts = candidate->class != 0};
    for (uint64_t rest = candidate->rows; rest; rest &= rest - 1) {
        const size_t r = (size_t)__builtin_ctzll(rest);

        if (is_bit(&plan->pool->rows[r]))
            into->bits |= places[r];
        else
            into->fields |= places[r];
    }
}

/* What the classes behind can give: the best they do by themselves, and the least that showing
 * 1, 2, ... of them costs beyond. */
struct behind {
    int64_t sum;
    int64_t extras[POOL_NEED_MAX]; /* the smallest, ascending */
};

static int64_t
extra_of(const struct behind *behind, unsigned need)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < need; i++) {
        if (behind->extras[i] >= RELAX_INFINITE)
            return RELAX_INFINITE;
        sum += behind->extras[i];
    }
    return sum;
}

static void
add_class(struct behind *behind, int64_t shown)
{
    int64_t extra = shown < 0 ? 0 : shown;

    behind->sum += shown < 0 ? shown : 0;
    for (size_t i = 0; i < POOL_NEED_MAX; i++)
        if (extra < behind->extras[i]) {
            const int64_t moved = behind->extras[i];
            behind->extras[i] = extra;
            extra = moved;
        }
}

static void
fill_rest(const struct plan *plan, const struct behind *behind, int64_t negative, int64_t least,
          bool counts, struct plan_rest *rest)
{
    const int64_t bonus = (int64_t)plan->pool->class_bonus * RELAX_SCALE;
    const bool any = least < RELAX_INFINITE;
    const int64_t shown = (negative < 0 ? negative : least) - bonus;

    for (unsigned n = 0; n <= plan->pool->distinct_need; n++) {
        const int64_t apart = behind->sum + extra_of(behind, n);

        rest->open[n] = negative + apart;
        rest->shut[n] = counts ? apart : negative + apart;
        if (counts && any) {
            const int64_t joined = shown + behind->sum + extra_of(behind, n ? n - 1 : 0);
            rest->shut[n] = joined < rest->shut[n] ? joined : rest->shut[n];
        }
    }
}

static void
fill_rests(struct plan *plan, const struct relax *relax)
{
    const int64_t bonus = (int64_t)plan->pool->class_bonus * RELAX_SCALE;
    struct behind behind = {0};
    int64_t negative = 0, least = RELAX_INFINITE;

    for (size_t i = 0; i < POOL_NEED_MAX; i++)
        behind.extras[i] = RELAX_INFINITE;
    fill_rest(plan, &behind, 0, RELAX_INFINITE, true, &plan->rests[plan->count]);
    for (size_t i = plan->count; i-- > 0;) {
        struct plan_item *item = &plan->items[i];
        const uint16_t class = plan->pool->candidates[item->item].class;
        const int64_t value = relax_reduced(plan->pool, relax, item->item);

        negative += value < 0 ? value : 0;
        least = value < least ? value : least;
        item->last_of_class = i + 1 == plan->count ||
                              plan->pool->candidates[plan->items[i + 1].item].class != class;
        if (i && plan->pool->candidates[plan->items[i - 1].item].class == class) {
            fill_rest(plan, &behind, negative, least, item->counts, &plan->rests[i]);
            continue;
        }
        if (item->counts)
            add_class(&behind, (negative < 0 ? negative : least) - bonus);
        else
            behind.sum += negative;
        negative = 0;
        least = RELAX_INFINITE;
        fill_rest(plan, &behind, 0, RELAX_INFINITE, true, &plan->rests[i]);
    }
}

struct status
plan_make(const struct pool *pool, const struct relax_items *items, const struct relax *relax,
          struct arena *arena, struct plan *ret)
{
    struct plan plan = {.pool = pool, .count = items->count};
    uint64_t places[POOL_ROWS_MAX] = {0};

    TRY(lay_out(&plan, relax, arena, places));
    for (size_t r = 0; r < pool->row_count; r++)
        plan.needs_value += relax->multipliers[r] * pool->rows[r].need;
    TRY(need(plan.items = ARENA_ARRAY(arena, struct plan_item, items->count + 1)));
    TRY(need(plan.rests = ARENA_ARRAY(arena, struct plan_rest, items->count + 1)));
    for (size_t i = 0; i < items->count; i++)
        place_item(&plan, places, items->items[i], &plan.items[i]);
    TRY(number_groups(&plan, arena));
    fill_rests(&plan, relax);
    *ret = plan;
    return OK;
}

bool
plan_complete(const struct plan *plan, uint64_t key, int64_t *ret_forfeits, int64_t *ret_value)
{
    int64_t forfeits = 0, value = 0;

    if ((key & plan->hard_bits) != plan->hard_bits || plan_classes_needed(plan, key))
        return false;
    for (size_t f = 0; f < plan->field_count; f++) {
        const struct plan_field *field = &plan->fields[f];

        if ((key >> field->shift & field->mask) >= field->need)
            continue;
        if (!plan->pool->rows[field->row].forfeit)
            return false;
        forfeits += (int64_t)plan->pool->rows[field->row].forfeit * RELAX_SCALE;
        value += field->multiplier;
    }
    for (size_t b = 0; b < plan->bit_count; b++)
        if (!(key >> b & 1)) {
            forfeits += (int64_t)plan->pool->rows[plan->bit_rows[b]].forfeit * RELAX_SCALE;
            value += plan->bit_multipliers[b];
        }
    *ret_forfeits = forfeits;
    *ret_value = value;
    return true;
}
